//! What a user agent says, coarsely enough to compare across versions.

/// The operating system family that a user agent names.
pub fn os_family(agent: &str) -> Option<&'static str> {
    let lower = agent.to_ascii_lowercase();
    let has = |word: &str| lower.contains(word);
    // Order matters: a Windows Phone says Android, Android says Linux, an
    // iPhone says Mac OS X.
    Some(if has("windows phone") {
        "windows phone"
    } else if has("android") {
        "android"
    } else if has("iphone") || has("ipad") || has("ios") {
        "ios"
    } else if has("windows") {
        "windows"
    } else if has("cros") {
        "chromeos"
    } else if has("macintosh") || has("mac os x") || has("macos") {
        "macos"
    } else if has("linux") || has("ubuntu") || has("x11") {
        "linux"
    } else {
        return None;
    })
}

/// An operating system of phones and tablets.
pub(crate) fn is_phone(os_family: &str) -> bool {
    matches!(os_family, "ios" | "android" | "windows phone")
}

/// The client family that a user agent names: a browser, an Office client, a
/// script or tool.
pub fn client_family(agent: &str) -> &'static str {
    let lower = agent.to_ascii_lowercase();
    for (word, family) in FAMILIES {
        if lower.contains(word) {
            return family;
        }
    }
    "other"
}

/// Family of client and of operating system together: what stays the same
/// when a browser updates itself.
pub fn signature(agent: &str) -> String {
    format!(
        "{}/{}",
        client_family(agent),
        os_family(agent).unwrap_or("unknown")
    )
}

// Order matters: Edge says Chrome, Chrome says Safari.
const FAMILIES: [(&str, &str); 22] = [
    ("python", "script"),
    ("axios", "script"),
    ("node-fetch", "script"),
    ("undici", "script"),
    ("go-http-client", "script"),
    ("curl/", "script"),
    ("okhttp", "script"),
    ("aiohttp", "script"),
    ("fasthttp", "script"),
    ("powershell", "powershell"),
    ("outlook", "outlook"),
    ("microsoft office", "office"),
    ("msoffice", "office"),
    ("teams", "teams"),
    ("onedrive", "onedrive"),
    ("edg", "edge"),
    ("opr/", "opera"),
    ("firefox", "firefox"),
    ("chrome", "chrome"),
    ("crios", "chrome"),
    ("trident", "internet explorer"),
    ("safari", "safari"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_update_keeps_the_signature() {
        let old = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.72 Safari/537.36 Edg/90.0.818.41";
        let new = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
        assert_eq!(signature(old), signature(new));
        assert_eq!(signature(new), "edge/windows");
        assert_ne!(signature(new), signature("python-requests/2.31"));
    }
}
