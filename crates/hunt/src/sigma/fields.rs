//! The field map: which events a rule's `logsource` means, and where each of
//! its fields stands. `docs/hunt-sigma.md` shows it as a table; a test holds
//! the two together.

use crate::detections::Column;
use crate::event::Source;

/// The log that a rule is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// `product` of the rule.
    pub product: &'static str,
    /// `service` of the rule.
    pub service: &'static str,
    /// The events that it is tried on.
    pub source: Source,
    /// Field of the rule, lower case, and where it stands: columns, or
    /// `record.PATH` of the original. Of several the first that has a value
    /// counts.
    pub fields: &'static [(&'static str, &'static [&'static str])],
}

/// Every log that rules are run on.
pub const SERVICES: [Service; 6] = [
    Service {
        product: "azure",
        service: "signinlogs",
        source: Source::SignIns,
        fields: SIGN_INS,
    },
    Service {
        product: "azure",
        service: "auditlogs",
        source: Source::DirectoryAudits,
        fields: DIRECTORY_AUDITS,
    },
    Service {
        product: "azure",
        service: "riskdetection",
        source: Source::RiskDetections,
        fields: RISKS,
    },
    Service {
        product: "m365",
        service: "audit",
        source: Source::Ual,
        fields: AUDIT,
    },
    Service {
        product: "m365",
        service: "exchange",
        source: Source::Ual,
        fields: ALERTS,
    },
    Service {
        product: "m365",
        service: "threat_management",
        source: Source::Ual,
        fields: ALERTS,
    },
];

type Fields = &'static [(&'static str, &'static [&'static str])];

const SIGN_INS: Fields = &[
    (
        "resulttype",
        &["record.status.errorCode", "record.ResultType"],
    ),
    ("status", &["event.outcome"]),
    (
        "resultdescription",
        &["record.ResultDescription", "record.status.failureReason"],
    ),
    ("location", &["source.geo.country_iso_code"]),
    ("calleripaddress", &["source.ip"]),
    ("ipaddress", &["source.ip"]),
    ("useragent", &["user_agent.original"]),
    ("userprincipalname", &["user.name"]),
    ("appid", &["m365.app.id"]),
    ("properties.appid", &["m365.app.id"]),
    ("appdisplayname", &["m365.app.name"]),
    ("clientapp", &["m365.client"]),
    ("clientappused", &["m365.client"]),
    ("resourcedisplayname", &["m365.resource.name"]),
    (
        "authenticationrequirement",
        &["record.authenticationRequirement"],
    ),
    (
        "properties.authenticationrequirement",
        &["record.authenticationRequirement"],
    ),
    ("authenticationprotocol", &["record.authenticationProtocol"]),
    ("conditionalaccessstatus", &["m365.conditional_access"]),
    ("riskstate", &["record.riskState"]),
    ("risklevelduringsignin", &["record.riskLevelDuringSignIn"]),
    ("networklocationdetails", &["record.networkLocationDetails"]),
    ("devicedetail.deviceid", &["record.deviceDetail.deviceId"]),
    (
        "properties.devicedetail.deviceid",
        &["record.deviceDetail.deviceId"],
    ),
    ("devicedetail.trusttype", &["record.deviceDetail.trustType"]),
    (
        "devicedetail.iscompliant",
        &["record.deviceDetail.isCompliant"],
    ),
    ("hometenantid", &["record.homeTenantId"]),
    ("resourcetenantid", &["record.resourceTenantId"]),
];

const DIRECTORY_AUDITS: Fields = &[
    ("properties.message", &["event.action"]),
    ("operationname", &["event.action"]),
    ("activitydisplayname", &["event.action"]),
    ("activitytype", &["event.action"]),
    ("status", &["event.outcome"]),
    ("properties.result", &["record.result"]),
    ("result", &["record.result"]),
    ("category", &["m365.record_type"]),
    ("loggedbyservice", &["event.provider"]),
    ("initiatedby", &["record.initiatedBy"]),
    ("properties.initiatedby", &["record.initiatedBy"]),
    ("target", &["record.targetResources"]),
    ("targetresources", &["record.targetResources"]),
    ("properties.targetresources", &["record.targetResources"]),
    ("targetresources.type", &["record.targetResources.type"]),
    (
        "targetresources.modifiedproperties",
        &["record.targetResources.modifiedProperties"],
    ),
    (
        "targetresources.modifiedproperties.displayname",
        &["record.targetResources.modifiedProperties.displayName"],
    ),
    (
        "targetresources.modifiedproperties.newvalue",
        &["record.targetResources.modifiedProperties.newValue"],
    ),
    (
        "additionaldetails.additionalinfo",
        &["record.additionalDetails.additionalInfo"],
    ),
    (
        "consentcontext.isadminconsent",
        &["new.ConsentContext.IsAdminConsent"],
    ),
];

const RISKS: Fields = &[
    ("riskeventtype", &["m365.risk_types"]),
    ("risklevel", &["m365.risk"]),
    ("riskstate", &["event.reason"]),
    ("userprincipalname", &["user.name"]),
    ("ipaddress", &["source.ip"]),
];

const AUDIT: Fields = &[
    ("operation", &["event.action"]),
    ("workload", &["event.provider"]),
    ("recordtype", &["m365.record_type"]),
    ("resultstatus", &["record.ResultStatus"]),
    ("userid", &["user.name"]),
    ("usertype", &["user.type"]),
    ("clientip", &["source.ip"]),
    ("useragent", &["user_agent.original"]),
    ("objectid", &["m365.object"]),
    ("applicationid", &["m365.app.id"]),
    ("requesttype", &["parameter.RequestType"]),
    ("parameters", &["record.Parameters"]),
    ("operationproperties", &["record.OperationProperties"]),
    ("extendedproperties", &["record.ExtendedProperties"]),
    ("modifiedproperties", &["record.ModifiedProperties"]),
    ("directionality", &["record.Directionality"]),
    ("deliveryaction", &["record.DeliveryAction"]),
];

const ALERTS: Fields = &[
    ("eventsource", &["event.provider"]),
    ("eventname", &["record.Name"]),
    ("status", &["event.outcome"]),
    ("payload", &["record.Data"]),
];

impl Service {
    /// The log of that product and service; `threat_detection` holds alerts
    /// like `threat_management`.
    pub fn find(product: &str, service: &str) -> Option<&'static Self> {
        let service = match service {
            "threat_detection" => "threat_management",
            other => other,
        };
        SERVICES
            .iter()
            .find(|one| one.product == product && one.service == service)
    }

    /// Where a field stands.
    pub(super) fn columns(&self, field: &str) -> Option<Vec<Column>> {
        let field = field.to_lowercase();
        let (_, names) = self.fields.iter().find(|(name, _)| *name == field)?;
        names.iter().map(|name| Column::find(name)).collect()
    }
}
