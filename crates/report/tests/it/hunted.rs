//! A month of one user's logs with a takeover at its end, as Graph and the audit log
//! write them, and everything that is shown of it. Names can be made anybody's.

use jiff::{SignedDuration, Timestamp};
use retake_hunt::{HuntReport, Import, Options};
use serde_json::{Value, json};

pub(crate) const UPN: &str = "dana.reyes@fabrikam.example";
const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
const LAPTOP: &str = "e1b4d6a0-3f52-4b8e-8a59-7a1f7e6f2c01";

pub(crate) fn now() -> Timestamp {
    "2026-04-02T10:00:00Z".parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Logs in the making. `name` makes every text that somebody else could have chosen.
struct Logs<'a> {
    name: &'a dyn Fn(&str) -> String,
    next: u32,
    sign_ins: Vec<Value>,
    audit: Vec<Value>,
}

impl Logs<'_> {
    fn id(&mut self) -> String {
        self.next += 1;
        format!("{:08x}-77aa-4c00-8a11-000000000001", self.next)
    }

    fn sign_in(&mut self, at: Timestamp, user: &str, theirs: bool) {
        let id = self.id();
        let (address, network, agent, device, session) = if theirs {
            ("203.0.113.9", 64666, (self.name)(FIREFOX), "", "foreign")
        } else {
            ("198.51.100.20", 64500, EDGE.to_owned(), LAPTOP, "own")
        };
        self.sign_ins.push(json!({
            "id": id, "createdDateTime": at.to_string(),
            "userId": format!("{:08x}-8f0a-4d53-9c1e-0a5c31f2ab10", user.len()),
            "userPrincipalName": user, "appId": "9199bf20-a13f-4107-85dc-02114787ef48",
            "appDisplayName": (self.name)("One Outlook Web"), "ipAddress": address,
            "autonomousSystemNumber": network, "userAgent": agent,
            "sessionId": format!("{session}-{}", at.strftime("%d")), "isInteractive": true,
            "signInEventTypes": ["interactiveUser"], "authenticationProtocol": "oAuth2",
            "authenticationRequirement": "multiFactorAuthentication",
            "authenticationDetails": [
                {"authenticationMethod": "Password", "succeeded": true},
                {"authenticationMethod": "Mobile app notification", "succeeded": true,
                 "authenticationStepResultDetail": "MFA completed in Azure AD"}],
            "deviceDetail": {"deviceId": device, "trustType": if theirs { "" } else { "Azure AD joined" }},
            "location": {"countryOrRegion": if theirs { "US" } else { "NL" },
                "geoCoordinates": if theirs { json!({"latitude": 40.7, "longitude": -74.0}) }
                                  else { json!({"latitude": 52.4, "longitude": 4.9}) }},
            "status": {"errorCode": 0},
        }));
    }

    fn audit(&mut self, at: Timestamp, operation: &str, more: Value) {
        let id = self.id();
        let mut record = json!({
            "Id": id, "CreationTime": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            "Operation": operation, "RecordType": 1, "ResultStatus": "Succeeded", "UserType": 0,
            "Workload": "Exchange", "UserId": UPN, "ClientIP": "203.0.113.9",
            "ClientIPAddress": "203.0.113.9", "MailboxOwnerUPN": UPN,
            "OrganizationId": "33333333-0000-4000-8000-000000000001",
            "AppAccessContext": {"AADSessionId": "foreign-01"},
        });
        for (key, value) in more.as_object().unwrap() {
            record[key] = value.clone();
        }
        self.audit.push(record);
    }

    fn takeover(&mut self) {
        let minute = |minute: i64| {
            at("2026-04-01T22:00:00Z")
                .checked_add(SignedDuration::from_mins(minute))
                .unwrap()
        };
        let name = |text: &str| (self.name)(text);
        let (folder, rule, file) = (
            name("\\Inbox"),
            name("."),
            name("https://fabrikam.example/sites/finance/Shared Documents/bank.xlsx"),
        );
        let subject = name("RE: Invoice 4711");
        let target = name("drop@outside.example");
        self.sign_in(minute(0), UPN, true);
        self.audit(
            minute(2),
            "MailItemsAccessed",
            json!({"RecordType": 50, "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}],
                "Folders": [{"Path": folder, "FolderItems": [
                    {"InternetMessageId": "<one@fabrikam.example>", "Subject": subject},
                    {"InternetMessageId": "<two@fabrikam.example>", "Subject": subject}]}]}),
        );
        self.audit(
            minute(3),
            "MailItemsAccessed",
            json!({"RecordType": 50, "OperationProperties": [{"Name": "MailAccessType", "Value": "Sync"}],
                "Folders": [{"Path": folder, "FolderItems": []}]}),
        );
        self.audit(
            minute(5),
            "New-InboxRule",
            json!({"Parameters": [{"Name": "Name", "Value": rule},
                {"Name": "SubjectOrBodyContainsWords", "Value": "invoice;payment"},
                {"Name": "MoveToFolder", "Value": "RSS Feeds"}, {"Name": "MarkAsRead", "Value": "True"}],
                "ObjectId": format!("fabrikam\\dana.reyes\\{rule}")}),
        );
        self.audit(
            minute(9),
            "Send",
            json!({"RecordType": 2, "Item": {"InternetMessageId": "<three@fabrikam.example>",
                "Subject": subject, "ParentFolder": {"Path": folder}}}),
        );
        self.audit(
            minute(10),
            "SoftDelete",
            json!({"RecordType": 3, "AffectedItems": [{"InternetMessageId": "<three@fabrikam.example>",
                "Subject": subject, "ParentFolder": {"Path": folder}}]}),
        );
        for (later, operation) in [(12, "FileDownloaded"), (13, "AnonymousLinkCreated")] {
            self.audit(
                minute(later),
                operation,
                json!({"RecordType": 6, "Workload": "OneDrive", "ObjectId": file,
                    "TargetUserOrGroupName": target}),
            );
        }
        self.sign_in(minute(20), "lee.ito@fabrikam.example", true);
    }
}

/// Files with their labels, the last one cut.
pub(crate) fn files(name: &dyn Fn(&str) -> String) -> Vec<(String, Vec<u8>)> {
    let mut logs = Logs {
        name,
        next: 0,
        sign_ins: Vec::new(),
        audit: Vec::new(),
    };
    for day in 1..=31 {
        for hour in [8, 13] {
            for user in [UPN, "lee.ito@fabrikam.example"] {
                logs.sign_in(
                    at(&format!("2026-03-{day:02}T{hour:02}:00:00Z")),
                    user,
                    false,
                );
            }
        }
    }
    logs.takeover();
    let lines: Vec<String> = logs.audit.iter().map(Value::to_string).collect();
    let cut = format!("{}\n{}", lines.join("\n"), &lines[0][..150]);
    vec![
        (
            name("logs/sign-ins.json"),
            json!({"value": logs.sign_ins}).to_string().into_bytes(),
        ),
        (name("logs/audit.jsonl"), cut.into_bytes()),
    ]
}

pub(crate) fn report(name: &dyn Fn(&str) -> String) -> HuntReport {
    let mut import = Import::new();
    for (label, bytes) in files(name) {
        import.add_bytes(&label, &bytes);
    }
    retake_hunt::report(import.finish(), &Options::new(now()).unwrap())
}
