//! The attacker names things.

use crate::story::report;

/// Markup, an attribute's end, a row's end, a terminal sequence, an override of
/// direction, a new block, a link.
const NASTY: &str = "</title><script>alert(1)</script>\"'><img src=x onerror=y>|`[a](javascript:b)\u{1b}[2J\u{202e}\u{200b}\r\n\n# H\n<b>";

fn nasty(text: &str) -> String {
    format!("{text}{NASTY}")
}

#[test]
fn no_name_becomes_part_of_the_page() {
    let page = report(&nasty).html;
    let clean = report(&|text| text.to_owned()).html;
    // Whatever the names are, the page has the same tags.
    let tags = |html: &str| -> Vec<String> {
        html.split('<')
            .skip(1)
            .map(|piece| {
                piece
                    .split(|c: char| !(c.is_ascii_alphanumeric() || "/!".contains(c)))
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(tags(&page), tags(&clean));
    assert!(!page.contains("<script"));
    assert!(!page.contains("onerror=y>"));
    assert!(!unseen(&page), "control characters reach the page");
}

#[test]
fn no_name_becomes_part_of_the_markdown() {
    let nasty = report(&nasty).markdown;
    let clean = report(&|text| text.to_owned()).markdown;
    assert!(!unseen(&nasty), "control characters reach the Markdown");
    let markup = nasty.replace("\\]", "");
    assert!(!markup.contains("<script") && !markup.contains("<img") && !markup.contains("](java"));
    // The same lines, headings and cells as with harmless names.
    let shape = |markdown: &str| -> Vec<(String, usize)> {
        markdown
            .lines()
            .map(|line| {
                let cells = line.replace("\\|", "").matches('|').count();
                (line.chars().take(2).collect(), cells)
            })
            .collect()
    };
    assert_eq!(shape(&nasty), shape(&clean));
    for line in nasty.lines().filter(|line| !line.contains("hash `")) {
        let ticks = line.replace("\\`", "").matches('`').count();
        assert_eq!(ticks % 2, 0, "{line}");
    }
}

#[test]
fn json_has_the_names_as_they_are() {
    let json = report(&nasty).json;
    assert_eq!(
        json["alert"],
        nasty("A supplier asks about a new bank account")
    );
    // And as text it has no raw control character.
    assert!(!json.to_string().chars().any(char::is_control));
}

#[test]
fn a_name_of_a_megabyte_does_not_make_a_report_of_gigabytes() {
    let long = report(&|text| text.repeat(20_000));
    assert!(long.html.len() < 400_000, "{}", long.html.len());
    assert!(long.markdown.len() < 400_000, "{}", long.markdown.len());
}

fn unseen(text: &str) -> bool {
    text.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
    })
}
