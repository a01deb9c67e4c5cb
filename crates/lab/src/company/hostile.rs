//! Names that are out to harm whoever shows, queries or files them: everything in a tenant
//! may be written by an attacker (tenet 9).

use crate::chance::Chance;

/// One for each exit that text of the tenant can leave by.
const HOSTILE: [&str; 14] = [
    "<script>alert(document.cookie)</script>",
    "<img src=x onerror=\"location='//x.example'\">",
    "=HYPERLINK(\"https://x.example\",\"pay here\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u{1b}[2J\u{1b}]0;clean\u{7}\u{1b}[31m",
    "\u{202e}txt.exe\u{202c} \u{2066}\u{200b}\u{feff}",
    "../../../../case/journal\\..\\nul",
    "O'Neill' or '1' eq '1",
    "x' -Force; Remove-Mailbox -Identity 'y",
    "\"; $(Get-Mailbox) `whoami` %TEMP% ${HOME}",
    "line one\r\nRT0000 done\n| a | b |\n## removed",
    "{{7*7}} {user} {% raw %} %s %n",
    "\u{0}\u{1}\u{8}\u{7f}\u{9b}31m",
    "**bold** [pay](https://x.example) ``` <!-- -->",
];

/// The text with something hostile in it, where the scenario asks for it.
pub(crate) fn dress(
    wanted: bool,
    chance: Chance,
    purpose: &str,
    ordinal: u64,
    text: &str,
) -> String {
    if !wanted {
        return text.to_owned();
    }
    let draw = chance.draw("hostile", purpose, ordinal);
    let harm = draw.word(&HOSTILE);
    // Now and then nothing but length.
    if draw.below(9) == 8 {
        return format!("{text} {harm}{}", "long ".repeat(4_000));
    }
    match draw.below(3) {
        0 => format!("{harm} {text}"),
        1 => format!("{text}{harm}"),
        _ => format!("{text} {harm} {text}"),
    }
}
