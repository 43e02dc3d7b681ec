//! Whether a group is one user's own, as systems that give each user a group and the umask 002 have it.

use std::fs;

/// Whether whoever is in the group could be somebody else. It is this user's alone where it is his primary group and nobody
/// else's, and has no other member, by `/etc/passwd` and `/etc/group`: what sshd of Debian and Fedora takes for its
/// `StrictModes`. Where these files do not know the user, such as with a directory service, nobody can tell. Root's group is
/// the administrators' on some systems.
#[must_use]
pub fn holds_others(gid: u32) -> bool {
    let me = rustix::process::geteuid().as_raw();
    if gid == 0 || gid != rustix::process::getegid().as_raw() {
        return true;
    }
    let file = |path| fs::read_to_string(path).unwrap_or_default();
    !is_own(gid, me, &file("/etc/passwd"), &file("/etc/group"))
}

/// passwd(5) and group(5).
fn is_own(gid: u32, uid: u32, passwd: &str, group: &str) -> bool {
    let users = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid: u32 = fields.nth(1)?.parse().ok()?;
        let gid: u32 = fields.next()?.parse().ok()?;
        Some((name, uid, gid))
    });
    let (mine, others): (Vec<_>, Vec<_>) = users
        .filter(|(_, _, primary)| *primary == gid)
        .partition(|(_, user, _)| *user == uid);
    let mut groups = group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let number: u32 = fields.nth(2)?.parse().ok()?;
        (number == gid).then(|| fields.next().unwrap_or_default())
    });
    let (Some(members), None) = (groups.next(), groups.next()) else {
        return false;
    };
    let is_me = |member: &str| mine.iter().any(|(name, _, _)| *name == member.trim());
    let mut members = members
        .split(',')
        .filter(|member| !member.trim().is_empty());
    !mine.is_empty() && others.is_empty() && members.all(is_me)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_ones_own_where_nobody_else_is_in_it() {
        const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:100::/:/bin/sh\ncy:x:1002:100::/:/bin/sh\n";
        let own = |gid, uid, group| is_own(gid, uid, PASSWD, group);
        assert!(own(1000, 1000, "users:x:100:\nann:x:1000:\n"));
        assert!(own(1000, 1000, "ann:x:1000:ann\n"));
        assert!(!own(1000, 1000, "ann:x:1000:ann,bob\n"), "another member");
        assert!(!own(1000, 1000, "users:x:100:\n"), "no such group");
        assert!(!own(1000, 1000, "ann:x:1000:\nb:x:1000:bob\n"), "two names");
        assert!(!own(100, 1001, "users:x:100:\n"), "cy's as well");
        assert!(!own(1000, 1003, "ann:x:1000:\n"), "a user nobody knows");
    }
}
