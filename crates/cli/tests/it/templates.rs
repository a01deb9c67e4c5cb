//! An organisation's own texts.

use crate::stranger::{Home, Served};

fn put(home: &Home, name: &str, bytes: &[u8]) {
    let dir = home.path().join("templates");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(name), bytes).unwrap();
}

#[test]
fn a_template_that_cannot_be_used_stops_before_the_case_with_file_line_and_reason() {
    let large = vec![b'x'; 70_000];
    let bad: [(&str, &[u8], &str); 6] = [
        (
            "warn-staff.txt",
            b"fine\n{acount}\n",
            "line 2: `acount` is no place of this template",
        ),
        (
            "user-briefing.txt",
            b"a\nb\n{name",
            "line 3: here a brace is opened and not closed",
        ),
        ("warn-vendors.txt", b"a }", "line 1: here a brace closes"),
        (
            "warn-all.txt",
            b"x",
            "no template has this name; there are fraud-pack.txt",
        ),
        (
            "fraud-pack.txt",
            b"a\n\xc3\x28",
            "line 2: here it is not UTF-8",
        ),
        ("warn-finance.txt", &large, "it has 70000 bytes"),
    ];
    for (name, bytes, reason) in bad {
        let home = Home::new();
        let served = Served::to(&home);
        put(&home, name, bytes);
        let ran = home.retake(&[
            "respond",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
        ]);
        assert_eq!(ran.code, 2, "{}", ran.session());
        for text in ["RT2020", name, reason, "No case was begun"] {
            assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
        }
        assert_eq!(served.changes(), 0);
        assert!(home.cases().is_empty(), "no case was begun");
    }
}

#[test]
fn the_texts_of_the_organisation_are_the_documents_of_the_case() {
    let home = Home::new();
    let served = Served::to(&home);
    put(
        &home,
        "user-briefing.txt",
        b"Hello {name}, ring 4711. {{sic}}\n{removed}\n",
    );
    put(&home, ".DS_Store", b"\x00\x01");
    let ran = home.retake(&[
        "respond",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--yes",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.session());
    let out = home.path().join("out");
    let case = home.case();
    home.retake(&["case", "report", &case, "--out", out.to_str().unwrap()]);
    let read = |name: &str| {
        std::fs::read_to_string(out.join(format!("{case}-documents/{name}.txt"))).unwrap()
    };
    let briefing = read("user-briefing");
    assert!(briefing.contains(", ring 4711. {sic}\n- "), "{briefing}");
    assert!(read("fraud-pack").contains("FOR THE BANK (recall)"));
    let secrets = read("related-secrets");
    assert!(secrets.contains("[ ] Invoices, orders"), "{secrets}");
}
