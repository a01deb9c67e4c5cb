//! What a stranger gets wrong, as the terminal shows it: a clear error, the next
//! thing to do, the right exit code, nothing lost and nothing half-done.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::json;

use crate::stranger::{Home, Ran, Served, named};

/// Nothing was written but what the lab itself put there, and nothing was changed.
fn nothing_happened(home: &Home, served: &Served) {
    assert_eq!(home.cases().len(), 0);
    assert_eq!(served.changes(), 0);
}

#[test]
fn an_unknown_user_leaves_no_case_behind() {
    let home = Home::new();
    let served = Served::to(&home);
    let ran = home.retake(&["respond", "nobody@nowhere.example", "--tenant", "lab"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.session(), @r#"
$ retake respond nobody@nowhere.example --tenant lab
error RT2001: nobody in this tenant is called nobody@nowhere.example, nobody has it among the addresses, and nobody of that name was deleted

hint: Check the spelling and the tenant. An account that was renamed without keeping its old address is found in the directory audits: look for "Update user" with the old name under UserPrincipalName, and give the object id of its target.
      retake explain RT2001
[exit 2]
"#);
    });
    assert_eq!(ran.code, 2);
    nothing_happened(&home, &served);
}

#[test]
fn another_tenant_stops_everything() {
    let home = Home::new();
    let served = Served::to(&home);
    let other = "0f0e0d0c-0b0a-4908-8706-050403020100";
    served.write(&home, &json!({"tenant_id": other}));
    let ran = home.retake(&["respond", served.user(), "--tenant", "lab"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.session(), @r"
$ retake respond [USER] --tenant lab
error RT3004: cannot get an access token of [ID]: sign-in was refused (AADSTS90002): there is no such tenant in this cloud: Tenant not found. Check that the tenant id is correct.

hint: Check the tenant id and the cloud of the profile.
      retake explain RT3004
[exit 3]
");
    });
    nothing_happened(&home, &served);
}

#[test]
fn a_wrong_secret_is_not_a_question_of_rights() {
    let home = Home::new();
    let served = Served::to(&home);
    served.write(&home, &json!({"client_secret": "not-the-secret"}));
    let ran = home.retake(&["respond", served.user(), "--tenant", "lab"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.session(), @r"
$ retake respond [USER] --tenant lab
error RT3004: cannot get an access token of [TENANT]: sign-in was refused (AADSTS7000215): the client secret is wrong: Invalid client secret provided.

hint: Take the secret's value, not its id, and check that it belongs to this app.
      retake explain RT3004
[exit 3]
");
    });
    assert!(!ran.session().contains("not-the-secret"));
    assert_eq!(ran.code, 3);
    nothing_happened(&home, &served);
}

#[test]
fn without_the_permission_to_read_users_there_is_no_case() {
    let home = Home::new();
    let served = Served::to(&home);
    served.permit("User.Read.All", false);
    served.permit("Directory.Read.All", false);
    let ran = home.retake(&["respond", served.user(), "--tenant", "lab"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.session(), @r"
$ retake respond [USER] --tenant lab
error RT3001: cannot read an account of [USER]: a permission or role is missing (403 Authorization_RequestDenied): Insufficient privileges to complete the operation.

hint: Give the app the application permission `User.Read.All` with admin consent.
      retake explain RT3001
[exit 3]
");
    });
    assert_eq!(ran.code, 3);
    nothing_happened(&home, &served);
}

#[test]
fn without_the_permission_to_block_nothing_is_half_done_and_granting_it_is_enough() {
    let home = Home::new();
    let served = Served::to(&home);
    served.permit("User.EnableDisableAccount.All", false);
    let before = served.state();
    let respond = || {
        home.retake(&[
            "respond",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
        ])
    };
    let ran = respond();
    let end = last(&ran, 4);
    named(&home, Some(&served), || {
        assert_snapshot!(end, @r#"

waits (RT3001): nothing was changed: S2.1 Block sign-in cannot run: grant the application permission `User.EnableDisableAccount.All` (Microsoft Graph) to the app [APP]: Entra admin centre, App registrations, API permissions, then admin consent
Nothing is lost: the same command goes on. `retake case show [CASE]` shows where it stands.
[exit 3]
"#);
    });
    assert_eq!(ran.code, 3);
    assert_eq!(served.state(), before, "something was changed");
    served.permit("User.EnableDisableAccount.All", true);
    let again = respond();
    assert_eq!(again.code, 0, "{}", again.session());
    assert!(home.cases()[0]["closed"].as_bool().unwrap());
}

#[test]
fn without_the_permission_to_remove_grants_the_rest_is_done_and_the_case_stays_open() {
    let home = Home::new();
    let served = Served::where_nobody_stands_in(&home);
    served.permit("DelegatedPermissionGrant.ReadWrite.All", false);
    let respond = || {
        home.retake(&[
            "respond",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
        ])
    };
    let ran = respond();
    let end = last(&ran, 4);
    named(&home, Some(&served), || {
        assert_snapshot!(end, @r#"

waits (RT3001): app consent "[APP NAME]" could not be removed: cannot withdraw an app's consent of [GRANT]: a permission or role is missing (403 Authorization_RequestDenied): Insufficient privileges to complete the operation. To go on, grant the application permission `DelegatedPermissionGrant.ReadWrite.All` (Microsoft Graph) to the app [APP]: Entra admin centre, App registrations, API permissions, then admin consent.
Nothing is lost: the same command goes on. `retake case show [CASE]` shows where it stands.
[exit 3]
"#);
    });
    assert_eq!(ran.code, 3);
    let upn = served.user();
    assert_eq!(served.state()["users"][upn]["accountEnabled"], false);
    assert!(!home.cases()[0]["closed"].as_bool().unwrap());
    served.permit("DelegatedPermissionGrant.ReadWrite.All", true);
    let again = respond();
    assert_eq!(again.code, 0, "{}", again.session());
    assert!(home.cases()[0]["closed"].as_bool().unwrap());
}

#[test]
fn what_could_not_be_looked_at_is_not_called_clean() {
    let home = Home::new();
    let served = Served::where_nobody_stands_in(&home);
    served.permit("UserAuthenticationMethod.ReadWrite.All", false);
    let respond = || {
        home.retake(&[
            "respond",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
        ])
    };
    let ran = respond();
    named(&home, Some(&served), || {
        assert_snapshot!(last(&ran, 3), @r"
waits (RT1005): authentication methods could not be looked at (RT3001): cannot read the account's authentication methods of [ID]: a permission or role is missing (403 Authorization_RequestDenied): Insufficient privileges to complete the operation. To go on, grant the application permission `UserAuthenticationMethod.ReadWrite.All` (Microsoft Graph) to the app [APP]: Entra admin centre, App registrations, API permissions, then admin consent.
Nothing is lost: the same command goes on. `retake case show [CASE]` shows where it stands.
[exit 1]
");
    });
    assert_eq!(ran.code, 1, "a person has to look");
    let user = served.user();
    assert_eq!(served.state()["users"][user]["accountEnabled"], false);
    assert!(!home.cases()[0]["closed"].as_bool().unwrap());
    served.permit("UserAuthenticationMethod.ReadWrite.All", true);
    let again = respond();
    assert_eq!(again.code, 0, "{}", again.session());
    assert!(home.cases()[0]["closed"].as_bool().unwrap());
}

/// The last lines of a session.
fn last(ran: &Ran, lines: usize) -> String {
    let session = ran.session();
    let skipped = session.lines().count().saturating_sub(lines);
    let kept: Vec<&str> = session.lines().skip(skipped).collect();
    kept.join("\n")
}

#[test]
fn without_a_lab_the_next_thing_to_do_is_said() {
    let home = Home::new();
    let ran = home.retake(&["respond", "someone@some.example", "--tenant", "lab"]);
    named(&home, None, || {
        assert_snapshot!(ran.session(), @r"
$ retake respond someone@some.example --tenant lab
error RT2003: No lab is being served: [HOME]/lab.json is not there.

hint: Run `retake lab serve` in another terminal and leave it open.
      retake explain RT2003
[exit 2]
");
    });
    assert_eq!(ran.code, 2);
    assert_eq!(home.names(), Vec::<String>::new(), "nothing is written");
}

#[test]
fn a_lab_that_was_ended_is_not_mistaken_for_a_tenant_that_hangs() {
    let home = Home::new();
    let served = Served::to(&home);
    let user = served.user().to_owned();
    drop(served);
    let ran = home.retake(&["respond", &user, "--tenant", "lab"]);
    named(&home, None, || {
        assert_snapshot!(ran.session().replace(&user, "[USER]"), @r"
$ retake respond [USER] --tenant lab
error RT2003: The lab at 127.0.0.1:[PORT] does not answer: Connection refused (os error 111).

hint: It may have been ended. Run `retake lab serve` in another terminal.
      retake explain RT2003
[exit 2]
");
    });
    assert_eq!(ran.code, 2);
}

#[test]
fn a_profile_that_cannot_be_used_says_which_file_and_why() {
    let home = Home::new();
    let there_is_none = home.retake(&["contain", "a@b.example", "--tenant", "contoso"]);
    let tenants = home.path().join("tenants");
    std::fs::create_dir(&tenants).unwrap();
    let write = |name: &str, text: &str| std::fs::write(tenants.join(name), text).unwrap();
    write("spelling.toml", "tenant = \"x\"\n");
    write(
        "cloud.toml",
        "tenant_id = \"x\"\nclient_id = \"y\"\ncloud = \"moon\"\n",
    );
    let secret = home.path().join("secret");
    std::fs::write(&secret, "s3cr3t").unwrap();
    write(
        "open.toml",
        &format!("tenant_id = \"x\"\nclient_id = \"y\"\nsecret_file = {secret:?}\n"),
    );
    let mut all = there_is_none.session();
    for name in ["spelling", "cloud", "open", "../lab"] {
        let ran = home.retake(&["contain", "a@b.example", "--tenant", name]);
        assert_eq!(ran.code, 2, "{}", ran.session());
        all.push_str("\n\n");
        all.push_str(&ran.session());
    }
    assert!(!all.contains("s3cr3t"));
    named(&home, None, || {
        assert_snapshot!(all, @r#"
$ retake contain a@b.example --tenant contoso
error RT2003: There is no profile `contoso`: [HOME]/tenants/contoso.toml is not there.

hint: Write one as docs/guide/real-tenant.md shows, or use `--tenant lab`.
      retake explain RT2003
[exit 2]

$ retake contain a@b.example --tenant spelling
error RT2002: The profile [HOME]/tenants/spelling.toml cannot be used: TOML parse error at line 1, column 1
  |
1 | tenant = "x"
  | ^^^^^^
unknown field `tenant`, expected one of `tenant_id`, `client_id`, `cloud`, `authority`, `sign_in`, `secret_file`, `certificate_file`, `token_file`, `identity`, `ca_file`, `proxy`, `keep_tokens`, `break_glass`, `partner_of`


hint: docs/guide/real-tenant.md shows the form.
      retake explain RT2002
[exit 2]

$ retake contain a@b.example --tenant cloud
error RT2002: The profile [HOME]/tenants/cloud.toml cannot be used: TOML parse error at line 3, column 9
  |
3 | cloud = "moon"
  |         ^^^^^^
unknown variant `moon`, expected one of `worldwide`, `gcc`, `gcc-high`, `dod`, `china`, `lab`


hint: docs/guide/real-tenant.md shows the form.
      retake explain RT2002
[exit 2]

$ retake contain a@b.example --tenant open
error RT2002: The secret in [HOME]/secret can be read by other users of this machine.

hint: `chmod 600` it. If others had access, make a new secret first.
      retake explain RT2002
[exit 2]

$ retake contain a@b.example --tenant ../lab
error RT2002: `../lab` cannot be the name of a profile.

hint: A name has 1 to 64 of letters, digits, `-` and `_`.
      retake explain RT2002
[exit 2]
"#);
    });
}

/// A home with one case in it, which waits at its first gate.
fn with_a_case() -> (Home, Served, String) {
    let home = Home::new();
    let served = Served::to(&home);
    let ran = home.retake(&["respond", served.user(), "--tenant", "lab"]);
    assert_eq!(ran.code, 1, "{}", ran.session());
    let case = home.case();
    (home, served, case)
}

#[test]
fn a_gate_without_a_terminal_waits_and_says_for_what() {
    let (home, served, _) = with_a_case();
    assert_eq!(served.changes(), 0, "an open gate lets nothing through");
    let ran = home.retake(&["contain", served.user(), "--tenant", "lab"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.session(), @r#"
$ retake contain [USER] --tenant lab

S1.7 gate `contain`: Block sign-in and revoke all sessions now?
  [NAME] <[USER]>, Accounts payable specialist, Finance

  S2.1 Block sign-in: [USER]
    why:     nobody can sign in as this account while it is being cleaned
    breaks:  the user cannot sign in anywhere; mail still arrives; Exchange comes back up to 40 min after release
    undo:    set accountEnabled to true again (retake release)
    effect:  new sign-ins at once; apps with continuous access evaluation within 15 min
    PATCH https://localhost:[PORT]/v1.0/users/[ID]
    {"accountEnabled":false}
    PS> Update-MgUser -UserId '[ID]' -AccountEnabled:$false

  S3.1 Revoke sessions: [USER]
    why:     ends every refresh token and session cookie
    breaks:  the user is signed out everywhere
    undo:    cannot be undone: ended sessions cannot be given back; the user signs in again
    effect:  refresh within a few minutes; access tokens without continuous access evaluation live on up to 90 min
    POST https://localhost:[PORT]/v1.0/users/[ID]/revokeSignInSessions
    {}
    PS> Revoke-MgUserSignInSession -UserId '[ID]'
  if refused: Nothing is changed; the case stays open for investigation.
[CLOCK] retake   gate `contain` waits: Block sign-in and revoke all sessions now?

waits (RT1001): the gate `contain` waits: Block sign-in and revoke all sessions now?
Nothing is lost: the same command goes on. `retake case show [CASE]` shows where it stands.
[exit 1]
"#);
    });
    assert_eq!(ran.code, 1);
    let with_yes = home.retake(&[
        "contain",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--yes",
    ]);
    assert_eq!(with_yes.code, 0, "{}", with_yes.session());
    assert_eq!(home.cases().len(), 1, "the same case goes on");
}

#[test]
fn to_approve_everything_takes_a_name() {
    let home = Home::new();
    let ran = home.retake(&["respond", "a@b.example", "--tenant", "lab", "--yes"]);
    named(&home, None, || {
        assert_snapshot!(ran.session(), @r"
$ retake respond a@b.example --tenant lab --yes
error: the following required arguments were not provided:
  --as <NAME>

Usage: retake respond --tenant <NAME> --as <NAME> --yes <USER>

For more information, try '--help'.
[exit 2]
");
    });
    assert_eq!(ran.code, 2);
}

#[test]
fn the_affected_user_cannot_respond_to_their_own_case_not_even_with_yes() {
    let home = Home::new();
    let served = Served::to(&home);
    let contain = |name: &str| {
        home.retake(&[
            "contain",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            name,
            "--yes",
        ])
    };
    let ran = contain(served.user());
    named(&home, Some(&served), || {
        assert_snapshot!(ran.without_view(), @r"
$ retake contain [USER] --tenant lab --as [USER] --yes

S1.6 gate `clean-hands`: Somebody else should respond, or nobody should touch this account. Going on takes a reason, which stays in the record.
  [NAME] <[USER]>, Accounts payable specialist, Finance
  clean hands: the responder is the affected user: somebody else has to respond
  if refused: The case stops before anything is changed; somebody else responds.

waits (RT1001): the gate `clean-hands` waits: Somebody else should respond, or nobody should touch this account. Going on takes a reason, which stays in the record.
Nothing is lost: the same command goes on. `retake case show [CASE]` shows where it stands.
[exit 1]
");
    });
    assert_eq!(ran.code, 1);
    assert_eq!(served.changes(), 0);
    let other = contain("Robin");
    assert_eq!(other.code, 0, "{}", other.session());
}

#[test]
fn a_store_that_is_not_ours_is_left_as_it_is() {
    let (home, _served, _) = with_a_case();
    let whole = std::fs::read(home.database()).unwrap();
    let foreign = {
        let path = home.path().join("other.db");
        let other = rusqlite::Connection::open(&path).unwrap();
        other
            .execute_batch("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('x');")
            .unwrap();
        drop(other);
        std::fs::read(path).unwrap()
    };
    let mut all = String::new();
    for bytes in [
        b"a shopping list\n".to_vec(),
        foreign,
        whole[..whole.len() / 2].to_vec(),
    ] {
        for log in ["cases.db-wal", "cases.db-shm"] {
            let _ = std::fs::remove_file(home.database().with_file_name(log));
        }
        std::fs::write(home.database(), &bytes).unwrap();
        let ran = home.retake(&["case", "list"]);
        assert_eq!(ran.code, 2, "{}", ran.session());
        all.push_str(&ran.session());
        all.push_str("\n\n");
        assert_eq!(std::fs::read(home.database()).unwrap(), bytes);
    }
    named(&home, None, || {
        assert_snapshot!(all, @r"
$ retake case list
error RT2006: [HOME]/cases/cases.db is not a case store that can be read: it is cut short. It was left as it is.

hint: Name another store directory, or restore the file from a copy. An exported case can be read without its store.
      retake explain RT2006
[exit 2]

$ retake case list
error RT2006: [HOME]/cases/cases.db is not a case store that can be read: it is the database of another program. It was left as it is.

hint: Name another store directory, or restore the file from a copy. An exported case can be read without its store.
      retake explain RT2006
[exit 2]

$ retake case list
error RT2006: [HOME]/cases/cases.db is not a case store that can be read: it is cut short. It was left as it is.

hint: Name another store directory, or restore the file from a copy. An exported case can be read without its store.
      retake explain RT2006
[exit 2]
");
    });
}

#[test]
fn a_store_of_a_newer_program_is_not_guessed_at() {
    let (home, served, _) = with_a_case();
    let store = rusqlite::Connection::open(home.database()).unwrap();
    store.execute_batch("PRAGMA user_version = 99;").unwrap();
    drop(store);
    let ran = home.retake(&["respond", served.user(), "--tenant", "lab"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.session(), @r"
$ retake respond [USER] --tenant lab
error RT2007: The case store [HOME]/cases/cases.db has version 99 or holds something unknown to this program, which knows up to version 1. Nothing was changed.

hint: Use the newer program that wrote it.
      retake explain RT2007
[exit 2]
");
    });
    assert_eq!(ran.code, 2);
}

#[test]
fn an_altered_journal_stops_every_command_that_would_lean_on_it() {
    let (home, served, case) = with_a_case();
    let store = rusqlite::Connection::open(home.database()).unwrap();
    let altered = store
        .execute(
            "UPDATE records SET body = replace(body, 'robin', 'norbi') WHERE seq = 1",
            [],
        )
        .unwrap();
    assert_eq!(altered, 1);
    drop(store);
    let shown = home.retake(&["case", "show", &case]);
    named(&home, Some(&served), || {
        assert_snapshot!(shown.session(), @r"
$ retake case show [CASE]
error RT5002: The journal of case `[CASE]` was altered at record 1: its content has the hash [HASH], recorded is [HASH]. The records before it are whole; nothing was changed now.

hint: Do not go on with this case on this machine. Compare with an exported copy, and find out who could write to the store.
      retake explain RT5002
[exit 5]
");
    });
    let out = home.path().join("out.tar");
    let out = out.to_str().unwrap();
    for arguments in [
        &["case", "show", &case][..],
        &["case", "log", &case],
        &["case", "export", &case, "--out", out],
        &["case", "report", &case, "--out", out],
        &[
            "respond",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
        ],
    ] {
        assert_eq!(home.retake(arguments).code, 5, "{arguments:?}");
    }
    assert!(!std::path::Path::new(out).exists());
    assert_eq!(served.changes(), 0);
}

#[test]
fn an_exported_case_that_is_not_as_it_was_signed_is_told_where() {
    let (home, _served, case) = with_a_case();
    let file = home.path().join("case.tar");
    let path = file.to_str().unwrap();
    let exported = home.retake(&["case", "export", &case, "--out", path]);
    assert_eq!(exported.code, 0, "{}", exported.session());
    let fingerprint = exported.stdout.trim();
    let good = home.retake(&["case", "verify", path, "--key", fingerprint]);
    assert_eq!(good.code, 0, "{}", good.session());

    let whole = std::fs::read(&file).unwrap();
    let verify = |bytes: &[u8], key: &str, code: i32| {
        std::fs::write(&file, bytes).unwrap();
        let ran = home.retake(&["case", "verify", path, "--key", key]);
        assert_eq!(ran.code, code, "{}", ran.session());
        format!("{}\n\n", ran.session())
    };
    let mut altered = whole.clone();
    let name = b"robin";
    let place = altered.windows(5).position(|five| five == name).unwrap();
    altered[place] = b'n';
    let wrong = "0000-1111-2222-3333-4444-5555-6666-7777-8888-9999-aaaa-bbbb-cccc-dddd-eeee-ffff";
    let mut all = String::new();
    all.push_str(&verify(&altered, fingerprint, 5));
    all.push_str(&verify(&whole, wrong, 5));
    all.push_str(&verify(&whole, "not a fingerprint", 2));
    all.push_str(&verify(b"PK\x03\x04 something else", fingerprint, 2));
    all.push_str(&verify(&whole[..whole.len() / 2], fingerprint, 5));
    named(&home, None, || {
        assert_snapshot!(all, @r"
$ retake case verify [HOME]/case.tar --key [FINGERPRINT]
error RT5001: [HOME]/case.tar is not as it was signed:
  journal.jsonl, bytes [FROM] to [TO]: record 1: its content has the hash [HASH], recorded is [HASH]

hint: Do not rely on this file. Ask for another copy, and for the fingerprint by another way than the file.
      retake explain RT5001
[exit 5]

$ retake case verify [HOME]/case.tar --key [FINGERPRINT]
error RT5001: [HOME]/case.tar is not as it was signed:
  manifest.json, bytes [FROM] to [TO]: the whole file was signed with another key: its fingerprint is [FINGERPRINT]

hint: Do not rely on this file. Ask for another copy, and for the fingerprint by another way than the file.
      retake explain RT5001
[exit 5]

$ retake case verify [HOME]/case.tar --key not a fingerprint
error RT2002: [HOME]/case.tar: A fingerprint has 64 hexadecimal digits, in groups or not; this text has 3 digits and other characters

hint: Copy the fingerprint as it was shown when the case was closed.
      retake explain RT2002
[exit 2]

$ retake case verify [HOME]/case.tar --key [FINGERPRINT]
error RT2006: [HOME]/case.tar: This is not an exported case: it begins with no manifest.

hint: `retake case export` writes such a file.
      retake explain RT2006
[exit 2]

$ retake case verify [HOME]/case.tar --key [FINGERPRINT]
error RT5001: [HOME]/case.tar is not as it was signed:
  journal.jsonl, bytes [FROM] to [TO]: the file ends within it; the file has [SO MANY] bytes fewer than were signed

hint: Do not rely on this file. Ask for another copy, and for the fingerprint by another way than the file.
      retake explain RT5001
[exit 5]
");
    });
    let again = home.retake(&["case", "export", &case, "--out", path]);
    assert_eq!(again.code, 2, "a file is not replaced unasked");
}

/// The program where no file can grow beyond so many blocks of 512 bytes: what a
/// full disk is to it, without a disk to fill.
fn on_a_full_disk(home: &Home, blocks: u32, arguments: &[&str]) -> Ran {
    let program = home.command(arguments);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
        ))
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .env("RETAKE_HOME", home.path())
        .env("USER", "robin")
        .stdin(std::process::Stdio::null());
    Ran::of(arguments, shell.output().unwrap())
}

#[test]
fn a_full_disk_stops_before_the_next_change_and_room_is_enough_to_go_on() {
    for blocks in [250, 900] {
        let home = Home::new();
        let served = Served::to(&home);
        let arguments = [
            "respond",
            served.user(),
            "--tenant",
            "lab",
            "--as",
            "Robin",
            "--yes",
        ];
        let ran = on_a_full_disk(&home, blocks, &arguments);
        let session = ran.session();
        let error = &session[session.find("error RT").unwrap_or(0)..];
        named(&home, Some(&served), || {
            insta::allow_duplicates!(assert_snapshot!(error, @r"
error RT7001: No room is left for [HOME]/cases/cases.db, or the disk fails to write (disk I/O error). Nothing of this write was kept, and everything written before is whole.

hint: Make room on that disk and give the same command again: it resumes.
      retake explain RT7001
[exit 70]
"));
        });
        assert_eq!(ran.code, 70);
        // What was done stands in the journal, whole: it can be read and resumed.
        let shown = home.retake(&["case", "show", &home.case()]);
        assert_eq!(shown.code, 0, "{}", shown.session());
        assert!(
            !shown.stdout.contains("outcome not known"),
            "{}",
            shown.stdout
        );
        let again = home.retake(&arguments);
        assert_eq!(again.code, 0, "{}", again.session());
        assert!(home.cases()[0]["closed"].as_bool().unwrap());
    }
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let home = Home::new();
    let ran = home.retake(&["case", "list", "--home", "/dev/null/retake"]);
    named(&home, None, || {
        assert_snapshot!(ran.session(), @r"
$ retake case list --home /dev/null/retake
error RT7002: /dev/null/retake/cases cannot be written: Not a directory (os error 20). Nothing was changed.

hint: Give this user the right to write there, or name another store directory.
      retake explain RT7002
[exit 70]
");
    });
    assert_eq!(ran.code, 70);
}

#[test]
fn a_word_that_is_no_command_is_answered_with_the_nearest() {
    let home = Home::new();
    let mut all = String::new();
    for arguments in [
        &["respnd"][..],
        &["contain", "a@b.example", "--tennant", "lab"],
        &["contain"],
        &["drill", "--seed", "many"],
        &["explain", "RT9999"],
        &["case", "show", "../../etc/passwd"],
        &["case", "show", "2020-01-01-00000000"],
        &["hunt", "/nowhere/at/all.csv"],
        &["drill", "no-such-scenario"],
        &["drill", "--sequence", "no-such-sequence"],
    ] {
        let ran = home.retake(arguments);
        assert_eq!(ran.code, 2, "{}", ran.session());
        all.push_str(&ran.session());
        all.push_str("\n\n");
    }
    named(&home, None, || {
        assert_snapshot!(all, @r"
$ retake respnd
error: unrecognized subcommand 'respnd'

  tip: a similar subcommand exists: 'respond'

Usage: retake [OPTIONS] <COMMAND>

For more information, try '--help'.
[exit 2]

$ retake contain a@b.example --tennant lab
error: unexpected argument '--tennant' found

  tip: a similar argument exists: '--tenant'

Usage: retake contain --tenant <NAME> <USER>

For more information, try '--help'.
[exit 2]

$ retake contain
error: the following required arguments were not provided:
  --tenant <NAME>
  <USER>

Usage: retake contain --tenant <NAME> <USER>

For more information, try '--help'.
[exit 2]

$ retake drill --seed many
error: invalid value 'many' for '--seed <SEED>': invalid digit found in string

For more information, try '--help'.
[exit 2]

$ retake explain RT9999
error RT2002: There is nothing called `RT9999` to explain.

hint: `retake explain` alone lists every code, step, gate and artefact.
      retake explain RT2002
[exit 2]

$ retake case show ../../etc/passwd
error RT2005: `../../etc/passwd` is not a case id. Nothing was changed.

hint: A case id has 1 to 64 of a-z, 0-9 and `-`. `retake case list` shows those that exist.
      retake explain RT2005
[exit 2]

$ retake case show [CASE]
error RT2005: There is no case `[CASE]` in this store. Nothing was changed.

hint: `retake case list` shows the cases of this store.
      retake explain RT2005
[exit 2]

$ retake hunt /nowhere/at/all.csv
error RT2002: The logs cannot be read: /nowhere/at/all.csv: No such file or directory (os error 2). Nothing was changed.

hint: Name files or directories of exported logs; zip and gz are opened.
      retake explain RT2002
[exit 2]

$ retake drill no-such-scenario
error RT2009: The scenario `no-such-scenario` cannot be used: there is no scenario `no-such-scenario`: known names are [NAMES]

hint: docs/scenario-format.md describes the format. `invoice-fraud` is embedded.
      retake explain RT2009
[exit 2]

$ retake drill --sequence no-such-sequence
error RT2009: there is no sequence `no-such-sequence`: known names are retake (the responder), none, password-reset-only, reset-before-block, remove-everything; a path must be a file

hint: docs/scenario-format.md and sequences/README.md describe the formats.
      retake explain RT2009
[exit 2]
");
    });
}

#[test]
fn a_scenario_with_a_mistake_is_told_file_line_and_reason() {
    let home = Home::new();
    let folder = home.path().join("mine");
    std::fs::create_dir(&folder).unwrap();
    let own = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/invoice-fraud/scenario.toml"
    );
    let text = std::fs::read_to_string(own).unwrap();
    std::fs::write(
        folder.join("scenario.toml"),
        text.replacen("do = \"phish\"", "do = \"fish\"", 1),
    )
    .unwrap();
    let ran = home.retake(&["drill", folder.to_str().unwrap(), "--quiet"]);
    named(&home, None, || {
        assert_snapshot!(ran.session(), @r"
$ retake drill [HOME]/mine --quiet
error RT2009: The scenario `[HOME]/mine` cannot be used: [HOME]/mine/scenario.toml:34: unknown variant `fish`, expected one of `phish`, [MOVES]

hint: docs/scenario-format.md describes the format. `invoice-fraud` is embedded.
      retake explain RT2009
[exit 2]
");
    });
    assert_eq!(ran.code, 2);
}
