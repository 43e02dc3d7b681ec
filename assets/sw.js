// Shows what is pushed while nobody looks at the page, and opens it on a click. It keeps nothing and answers no request.

const pages = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

async function tell({ id, text }) {
  // Who looks at the page sees it there.
  const open = await pages();
  if (open.some(({ visibilityState }) => visibilityState === "visible")) return;
  await self.registration.showNotification("tundra", { body: text, tag: id, data: { id } });
}

async function go(id) {
  const [page] = await pages();
  if (!page) {
    await self.clients.openWindow(`${self.registration.scope}#terminal=${id}`);
    return;
  }
  page.postMessage({ go: id });
  await page.focus();
}

self.addEventListener("push", (event) => {
  if (event.data) event.waitUntil(tell(event.data.json()));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(go(event.notification.data.id));
});
