//! The two audit logs of the directory: Entra's own and the unified one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::logs::{DirectoryAudit, Initiator, Target, UnifiedRecord};
use super::{Origin, World};

/// An audit entry's words before it is filled in.
pub(crate) struct Activity<'a> {
    pub(crate) name: &'a str,
    pub(crate) category: &'a str,
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
}

impl World {
    /// Writes an entry to Entra's audit log and its twin, whose operation ends
    /// in a full stop, to the unified log (reference §7.3). Returns the entry's
    /// place in the log.
    pub(crate) fn audit_directory(
        &mut self,
        now: Timestamp,
        by: &Origin,
        activity: &Activity<'_>,
        targets: Vec<Target>,
    ) -> usize {
        let object = targets.first().map(|t| t.id.clone()).unwrap_or_default();
        let correlation = self.next(&object, "audit correlation").uuid().to_string();
        let tail = self
            .next(&object, "audit tail")
            .text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 5);
        let number = self.next(&object, "audit number").below(99_999_999);
        let delay = self.tenant.directory_audit_delay;
        let visible_at = self.after(now, "directory audit delay", delay);
        let initiator = match by.user.as_deref().and_then(|id| self.users.get(id)) {
            Some(user) => Initiator::User {
                id: user.id.clone(),
                upn: user.upn.clone(),
                name: user.display_name.clone(),
                ip: by.ip.clone(),
            },
            None => Initiator::App {
                id: self
                    .principal_of_app(&by.app_id)
                    .map(|p| p.id.clone())
                    .unwrap_or_default(),
                // Seen null in captures (reference §7.1): the principal's id
                // is what identifies the app.
                app_id: None,
                name: self.app_name(&by.app_id),
            },
        };
        let modified: Vec<Value> = targets
            .iter()
            .flat_map(|target| &target.modified)
            .map(|(name, old, new)| {
                json!({
                    "Name": name,
                    "OldValue": old.as_deref().unwrap_or(""),
                    "NewValue": new.as_deref().unwrap_or(""),
                })
            })
            .collect();
        let target_words: Vec<Value> = targets
            .iter()
            .flat_map(|target| {
                [
                    json!({"ID": format!("{}_{}", target.kind, target.id), "Type": 2}),
                    json!({"ID": target.id, "Type": 2}),
                    json!({"ID": target.name, "Type": 1}),
                    json!({"ID": target.upn, "Type": 5}),
                ]
            })
            .filter(|word| !word["ID"].is_null())
            .collect();
        let object_id = targets
            .first()
            .map(|target| target.upn.clone().unwrap_or_else(|| target.id.clone()))
            .unwrap_or_default();
        let extra = json!({
            "AzureActiveDirectoryEventType": 1,
            "ExtendedProperties": [
                {"Name": "additionalDetails", "Value": json!({"User-Agent": by.user_agent}).to_string()},
            ],
            "ModifiedProperties": modified,
            "Target": target_words,
            "TargetContextId": self.tenant.id,
            "ActorContextId": self.tenant.id,
            "ActorIpAddress": by.ip,
            "InterSystemsId": correlation,
            "IntraSystemId": self.next(&object, "audit intra").uuid().to_string(),
        });
        self.audit(
            now,
            "AzureActiveDirectory",
            &format!("{}.", activity.name),
            by,
            &object_id,
            extra,
        );
        self.logs.directory.push(DirectoryAudit {
            id: format!("Directory_{correlation}_{tail}_{number}"),
            at: now,
            visible_at,
            activity: activity.name.to_owned(),
            category: activity.category.to_owned(),
            service: activity.service.to_owned(),
            operation_type: activity.operation.to_owned(),
            success: true,
            reason: String::new(),
            by: initiator,
            targets,
            details: vec![(String::from("User-Agent"), by.user_agent.clone())],
            correlation,
            user_agent: by.user_agent.clone(),
        });
        self.logs.directory.len() - 1
    }

    /// Writes a record to the unified audit log: shown after 60 to 90 minutes.
    pub(crate) fn audit(
        &mut self,
        now: Timestamp,
        record_type: &str,
        operation: &str,
        by: &Origin,
        object_id: &str,
        extra: Value,
    ) {
        if !self.tenant.audit_on {
            return;
        }
        let id = self.new_id("audit record");
        let delay = self.tenant.unified_delay;
        let visible_at = self.after(now, "unified delay", delay);
        let (number, workload) = record_number(record_type);
        let (user_key, user_id, user_type) =
            match by.user.as_deref().and_then(|id| self.users.get(id)) {
                Some(user) => (user.id.clone(), user.upn.clone(), 0),
                None if by.app_id.is_empty() => (
                    String::from("NT AUTHORITY\\SYSTEM"),
                    String::from("NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)"),
                    4,
                ),
                None => {
                    let principal = self
                        .principal_of_app(&by.app_id)
                        .map(|p| p.id.clone())
                        .unwrap_or_default();
                    (
                        by.app_id.clone(),
                        format!("ServicePrincipal_{principal}"),
                        5,
                    )
                }
            };
        let mut data = serde_json::Map::new();
        data.insert(
            "CreationTime".into(),
            json!(now.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        );
        data.insert("Id".into(), json!(id));
        data.insert("Operation".into(), json!(operation));
        data.insert("OrganizationId".into(), json!(self.tenant.id));
        data.insert("RecordType".into(), json!(number));
        data.insert(
            "ResultStatus".into(),
            json!(if operation == "UserLoginFailed" {
                "Failed"
            } else {
                "Success"
            }),
        );
        data.insert("UserKey".into(), json!(user_key));
        data.insert("UserType".into(), json!(user_type));
        data.insert("Version".into(), json!(1));
        data.insert("Workload".into(), json!(workload));
        data.insert("ObjectId".into(), json!(object_id));
        data.insert("UserId".into(), json!(user_id));
        data.insert("ClientIP".into(), json!(by.ip));
        if by.session.is_some() || by.token.is_some() {
            data.insert(
                "AppAccessContext".into(),
                json!({
                    "AADSessionId": by.session,
                    "ClientAppId": by.app_id,
                    "UniqueTokenId": by.token,
                }),
            );
        }
        if let Value::Object(extra) = extra {
            data.extend(extra);
        }
        self.logs.unified.push(UnifiedRecord {
            id,
            at: now,
            visible_at,
            record_type: record_type.to_owned(),
            operation: operation.to_owned(),
            user_key,
            user_id,
            user_type,
            workload: workload.to_owned(),
            object_id: object_id.to_owned(),
            client_ip: by.ip.clone(),
            data,
        });
    }
}

/// Number and workload of a record type (reference §7.3).
fn record_number(name: &str) -> (u16, &'static str) {
    match name {
        "ExchangeAdmin" => (1, "Exchange"),
        "ExchangeItem" => (2, "Exchange"),
        "ExchangeItemGroup" => (3, "Exchange"),
        "AzureActiveDirectory" => (8, "AzureActiveDirectory"),
        "AzureActiveDirectoryStsLogon" => (15, "AzureActiveDirectory"),
        "ExchangeAggregatedOperation" => (19, "Exchange"),
        "ExchangeItemAggregated" => (50, "Exchange"),
        "ExchangeSearch" => (101, "Exchange"),
        _ => (0, "Unknown"),
    }
}
