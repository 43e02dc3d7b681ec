// Notices that reach the browser while no page is open: asked of the browser's push service, and told to the listener.

import * as api from "./api.js";

/** Only a page over https, or from this machine, may have a worker. */
export const isPossible = () => isSecureContext && "serviceWorker" in navigator && "PushManager" in globalThis;

const ofKey = (key) => Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

function sameKey(subscription, key) {
  const held = new Uint8Array(subscription.options.applicationServerKey ?? []);
  return held.length === key.length && held.every((byte, at) => byte === key[at]);
}

/** Subscribes this browser, or tells the listener once more of a subscription that there is. */
export async function subscribe() {
  const registration = await navigator.serviceWorker.register("sw.js");
  const key = ofKey((await api.pushKey()).key);
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && !sameKey(subscription, key)) {
    // It belongs to another home that was served here before.
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await api.subscribe(subscription.toJSON());
}

/** Takes the subscription back, here and there. */
export async function unsubscribe() {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return;
  await api.unsubscribe(subscription.endpoint);
  await subscription.unsubscribe();
}

/** Calls `go(id)` when the user clicks on a notice while a page is open. */
export function onClick(go) {
  navigator.serviceWorker?.addEventListener("message", ({ data }) => {
    if (data?.go) go(data.go);
  });
}
