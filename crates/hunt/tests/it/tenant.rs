//! Records of a made-up user, as Graph and the audit log would write them.

use jiff::{SignedDuration, Timestamp};
use retake_hunt::{Analysis, Change, Event, Import, Imported, Subject};
use serde_json::{Value, json};

pub(crate) const UPN: &str = "dana.reyes@fabrikam.example";
pub(crate) const ID: &str = "5b0c1f7e-8f0a-4d53-9c1e-0a5c31f2ab10";
pub(crate) const LAPTOP: &str = "e1b4d6a0-3f52-4b8e-8a59-7a1f7e6f2c01";
pub(crate) const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
pub(crate) const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
pub(crate) const FIREFOX: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

/// Where somebody is.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) address: &'static str,
    pub(crate) network: u32,
    pub(crate) country: &'static str,
    pub(crate) coordinates: (f64, f64),
}

pub(crate) const OFFICE: At = At {
    address: "198.51.100.20",
    network: 64500,
    country: "NL",
    coordinates: (52.37, 4.90),
};
pub(crate) const HOME: At = At {
    address: "192.0.2.77",
    network: 64501,
    country: "NL",
    coordinates: (52.09, 5.12),
};
pub(crate) const ABROAD: At = At {
    address: "203.0.113.60",
    network: 64550,
    country: "BE",
    coordinates: (51.22, 4.40),
};
pub(crate) const HOTEL: At = At {
    address: "203.0.113.140",
    network: 64530,
    country: "PT",
    coordinates: (38.72, -9.14),
};
pub(crate) const CARRIER: At = At {
    address: "192.0.2.150",
    network: 64540,
    country: "NL",
    coordinates: (52.37, 4.90),
};
pub(crate) const PROXY: At = At {
    address: "203.0.113.9",
    network: 64666,
    country: "US",
    coordinates: (40.71, -74.0),
};
pub(crate) const LAIR: At = At {
    address: "203.0.113.201",
    network: 64667,
    country: "US",
    coordinates: (33.45, -112.07),
};

/// The moment of the alert.
pub(crate) fn alert() -> Timestamp {
    "2026-03-30T10:00:00Z".parse().unwrap()
}

pub(crate) fn hours_before(hours: i64) -> Timestamp {
    minutes_before(hours * 60)
}

pub(crate) fn minutes_before(minutes: i64) -> Timestamp {
    alert()
        .checked_sub(SignedDuration::from_mins(minutes))
        .unwrap()
}

/// One tenant's logs in the making.
#[derive(Default)]
pub(crate) struct Tenant {
    next: u64,
    sign_ins: Vec<Value>,
    audit: Vec<Value>,
    directory: Vec<Value>,
    traces: Vec<Value>,
}

/// One sign-in, to be changed before it is added.
pub(crate) struct SignIn {
    pub(crate) at: Timestamp,
    pub(crate) from: At,
    pub(crate) agent: &'static str,
    pub(crate) session: String,
    pub(crate) device: Option<&'static str>,
    pub(crate) interactive: bool,
    pub(crate) user: &'static str,
    pub(crate) code: u32,
    pub(crate) protocol: &'static str,
    pub(crate) mfa: bool,
    pub(crate) app: &'static str,
}

pub(crate) fn sign_in(at: Timestamp, from: At, agent: &'static str, session: &str) -> SignIn {
    SignIn {
        at,
        from,
        agent,
        session: session.to_owned(),
        device: None,
        interactive: true,
        user: UPN,
        code: 0,
        protocol: "oAuth2",
        mfa: true,
        app: "9199bf20-a13f-4107-85dc-02114787ef48",
    }
}

impl Tenant {
    /// A month in which the user works on weekdays, from office and home, on
    /// a registered laptop and a phone.
    pub(crate) fn with_history() -> Self {
        let mut tenant = Self::default();
        for day in 1..=30 {
            for (hour, from, agent, device) in [
                (8, OFFICE, EDGE, Some(LAPTOP)),
                (12, OFFICE, IPHONE, None),
                (20, HOME, EDGE, Some(LAPTOP)),
            ] {
                let at = alert()
                    .checked_sub(SignedDuration::from_hours(24 * day))
                    .unwrap();
                let at = at
                    .checked_add(SignedDuration::from_hours(hour - 10))
                    .unwrap();
                let session = format!("own-{day}-{hour}");
                tenant.add(SignIn {
                    device,
                    ..sign_in(at, from, agent, &session)
                });
                let later = at.checked_add(SignedDuration::from_mins(70)).unwrap();
                tenant.add(SignIn {
                    device,
                    interactive: false,
                    ..sign_in(later, from, agent, &session)
                });
            }
        }
        tenant
    }

    /// A month in which the user works in the office on a computer that no
    /// directory knows, and on a phone over its carrier; both in one session
    /// a day, as browsers keep them.
    pub(crate) fn with_unregistered_history() -> Self {
        Self::worked(None)
    }

    /// The same on a registered laptop, whose browser shows it at the sign-in page and
    /// not when it renews its token.
    pub(crate) fn with_a_laptop_shown_at_the_page() -> Self {
        Self::worked(Some(LAPTOP))
    }

    fn worked(device: Option<&'static str>) -> Self {
        let mut tenant = Self::default();
        for day in 1..=30 {
            for (hour, from, agent) in [
                (26, OFFICE, EDGE),
                (24, CARRIER, IPHONE),
                (20, OFFICE, EDGE),
            ] {
                tenant.add(SignIn {
                    interactive: hour == 26,
                    device: device.filter(|_| hour == 26),
                    ..sign_in(
                        hours_before(24 * (day - 1) + hour),
                        from,
                        agent,
                        &format!("own-{day}"),
                    )
                });
            }
        }
        tenant
    }

    fn id(&mut self) -> String {
        self.next += 1;
        format!(
            "{:08x}-77aa-4c00-8a11-0000{:08x}",
            self.next * 7919,
            self.next
        )
    }

    /// Adds the sign-in and gives its id.
    pub(crate) fn add(&mut self, sign_in: SignIn) -> String {
        let id = self.id();
        let mut steps = vec![
            json!({"authenticationMethod": "Password", "succeeded": sign_in.code == 0, "authenticationStepRequirement": "Primary authentication"}),
        ];
        if sign_in.mfa && sign_in.interactive && sign_in.code == 0 {
            steps.push(json!({"authenticationMethod": "Mobile app notification", "succeeded": true, "authenticationStepResultDetail": "MFA completed in Azure AD", "authenticationStepRequirement": "Multifactor authentication"}));
        }
        self.sign_ins.push(json!({
            "id": id,
            "createdDateTime": sign_in.at.to_string(),
            "userId": if sign_in.user == UPN { ID.to_owned() } else { id_of(sign_in.user) },
            "userPrincipalName": sign_in.user,
            "appId": sign_in.app,
            "appDisplayName": "One Outlook Web",
            "resourceId": "00000002-0000-0ff1-ce00-000000000000",
            "ipAddress": sign_in.from.address,
            "autonomousSystemNumber": sign_in.from.network,
            "userAgent": sign_in.agent,
            "sessionId": sign_in.session,
            "isInteractive": sign_in.interactive,
            "signInEventTypes": [if sign_in.interactive { "interactiveUser" } else { "nonInteractiveUser" }],
            "authenticationProtocol": sign_in.protocol,
            "authenticationRequirement": if sign_in.mfa { "multiFactorAuthentication" } else { "singleFactorAuthentication" },
            "authenticationDetails": steps,
            "deviceDetail": {"deviceId": sign_in.device.unwrap_or(""), "trustType": if sign_in.device.is_some() { "Azure AD joined" } else { "" }},
            "location": {"countryOrRegion": sign_in.from.country, "geoCoordinates": {"latitude": sign_in.from.coordinates.0, "longitude": sign_in.from.coordinates.1}},
            "status": {"errorCode": sign_in.code, "failureReason": "x"},
        }));
        id
    }

    /// An audit record of the user, in a session and with a token's sign-in.
    pub(crate) fn audit(
        &mut self,
        at: Timestamp,
        operation: &str,
        from: At,
        session: &str,
        sign_in: &str,
        extra: Value,
    ) -> String {
        let id = self.id();
        let mut record = json!({
            "Id": id,
            "CreationTime": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            "Operation": operation,
            "RecordType": 1,
            "ResultStatus": "True",
            "UserType": 0,
            "Workload": "Exchange",
            "UserId": "Dana.Reyes@fabrikam.example",
            "ClientIP": format!("{}:50123", from.address),
            "AppAccessContext": {
                "AADSessionId": session,
                "UniqueTokenId": retake_hunt::token::token_id(sign_in),
            },
        });
        merge(&mut record, extra);
        let mut page = json!({"id": id, "auditLogRecordType": "ExchangeAdmin", "createdDateTime": at.to_string(), "userId": "10032", "userPrincipalName": UPN});
        page["auditData"] = record;
        self.audit.push(page);
        id
    }

    pub(crate) fn parameters(pairs: &[(&str, &str)]) -> Value {
        let list: Vec<Value> = pairs
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        json!({"Parameters": list, "ObjectId": "EURPR01.PROD/Hosted/fabrikam/dana.reyes\\1700"})
    }

    pub(crate) fn consent(app: &str, grant: &str, scope: &str) -> Value {
        json!({
            "Workload": "AzureActiveDirectory",
            "RecordType": 8,
            "ObjectId": app,
            "Target": [{"ID": format!("ServicePrincipal_{app}"), "Type": 2}, {"ID": app, "Type": 2}, {"ID": "Mail Tool", "Type": 1}],
            "ModifiedProperties": [{"Name": "ConsentAction.Permissions", "OldValue": "", "NewValue": format!("[] => [[Id: {grant}, ClientId: {app}, PrincipalId: {ID}, ResourceId: r, ConsentType: Principal, Scope: {scope}, CreatedDateTime: ]]; ")}],
        })
    }

    pub(crate) fn directory(
        &mut self,
        at: Timestamp,
        activity: &str,
        from: At,
        reason: &str,
    ) -> String {
        let id = format!("Directory_{}", self.id());
        self.directory.push(json!({
            "id": id,
            "activityDateTime": at.to_string(),
            "activityDisplayName": activity,
            "loggedByService": "Authentication Methods",
            "category": "UserManagement",
            "result": "success",
            "resultReason": reason,
            "initiatedBy": {"user": {"id": ID, "userPrincipalName": UPN, "ipAddress": from.address}},
            "targetResources": [{"id": ID, "type": "User", "userPrincipalName": UPN, "modifiedProperties": []}],
        }));
        id
    }

    pub(crate) fn trace(&mut self, at: Timestamp, message: &str, to: &str) {
        let id = self.id();
        self.traces.push(json!({"id": id, "senderAddress": UPN, "recipientAddress": to, "messageId": message, "receivedDateTime": at.to_string(), "subject": "RE: Invoice 4711", "fromIP": "", "status": "delivered"}));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.imported().events
    }

    pub(crate) fn imported(&self) -> Imported {
        let mut import = Import::new();
        for (label, list) in [
            ("sign-ins", &self.sign_ins),
            ("audit", &self.audit),
            ("directory", &self.directory),
            ("traces", &self.traces),
        ] {
            import.add_bytes(label, json!({"value": list}).to_string().as_bytes());
        }
        let imported = import.finish();
        assert_eq!(imported.counts.damaged, 0, "{:?}", imported.damaged.first());
        imported
    }

    pub(crate) fn analyse(&self) -> Analysis {
        retake_hunt::analyse(&self.events(), &subject(), alert())
    }
}

/// An id for somebody else.
fn id_of(user: &str) -> String {
    let number = user.bytes().fold(7_u64, |number, byte| {
        (number * 31 + u64::from(byte)) % (1 << 48)
    });
    format!("00000000-1111-4222-8333-{number:012x}")
}

pub(crate) fn subject() -> Subject {
    Subject {
        id: Some(ID.to_owned()),
        upn: "Dana.Reyes@Fabrikam.example".to_owned(),
        own_domains: vec!["fabrikam.example".to_owned()],
        alert_at: Some(alert()),
        own_app_ids: vec!["7e57ab1e-0000-4000-8000-000000000001".to_owned()],
        hostile: Vec::new(),
    }
}

pub(crate) fn by_record<'a>(analysis: &'a Analysis, record: &str) -> &'a Change {
    analysis
        .changes
        .iter()
        .find(|change| change.record_id == record || change.also.iter().any(|id| id == record))
        .unwrap_or_else(|| panic!("no change {record}"))
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
