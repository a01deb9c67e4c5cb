//! Every error body that the reference documents, and what becomes of it: kind,
//! page of the error book, hint. And of bodies that nobody documented.

use retake_tenant::client::Cmdlet;
use retake_tenant::model::MethodKind;
use retake_tenant::{Kind, TenantError};
use serde_json::{Value, json};

use crate::world::{Step, UPN, USER, World, empty, json_answer, raw, refusal};

/// Which request is refused.
#[derive(Clone, Copy)]
enum Asked {
    /// Directory: methods.
    Methods,
    User,
    Rules,
    SignIns,
    Risk,
    Audit,
    DeleteMethod,
    RemoveRule,
    Exchange,
    Activity,
}

impl Asked {
    fn of(self, world: &World) -> TenantError {
        let tenant = &world.tenant;
        match self {
            Self::Methods => world.run(tenant.authentication_methods(USER)).unwrap_err(),
            Self::User => world.run(tenant.user(USER)).unwrap_err(),
            Self::Rules => world.run(tenant.graph_inbox_rules(USER)).unwrap_err(),
            Self::SignIns => world
                .run(tenant.directory_audits(
                    retake_tenant::client::AuditAbout::Everything,
                    crate::world::start(),
                    None,
                ))
                .unwrap_err(),
            Self::Risk => world.run(tenant.risk_detections(USER)).unwrap_err(),
            Self::Audit => {
                let search = retake_tenant::client::AuditSearch {
                    id: "q".into(),
                    beta: true,
                };
                world.run(tenant.audit_search_status(&search)).unwrap_err()
            }
            Self::DeleteMethod => {
                let delete = tenant
                    .prepare_delete_method(
                        USER,
                        MethodKind::Phone,
                        "3179e48a-750b-4051-897c-87b9720928f7",
                    )
                    .unwrap();
                world.run(tenant.submit(&delete)).unwrap_err()
            }
            Self::RemoveRule => {
                let remove = tenant.prepare_remove_inbox_rule(UPN, "5d2a\\1").unwrap();
                world.run(tenant.submit(&remove)).unwrap_err()
            }
            Self::Exchange => world
                .run(tenant.invoke(&Cmdlet::new("Get-Mailbox").with("Identity", UPN), Some(UPN)))
                .unwrap_err(),
            Self::Activity => world.run(tenant.activity_subscriptions()).unwrap_err(),
        }
    }
}

/// One row: where it is documented, what is asked, what comes, what it has to become.
struct Row {
    source: &'static str,
    asked: Asked,
    answer: fn() -> Step,
    kind: &'static str,
    page: &'static str,
    hint: &'static str,
    /// How often it is sent.
    sent: usize,
}

macro_rules! rows {
    ($($source:literal $asked:ident $answer:expr => $kind:literal $page:literal $hint:literal, $sent:literal;)*) => {
        &[$(Row { source: $source, asked: Asked::$asked, answer: || $answer, kind: $kind, page: $page, hint: $hint, sent: $sent }),*]
    };
}

/// Exchange's error with its text where the details have it.
fn detail(status: u16, code: &str, message: &str) -> Step {
    json_answer(
        status,
        &json!({"error": {"code": code, "message": "Error executing cmdlet",
            "details": [{"code": "Context", "target": "", "message": message}],
            "innererror": {"message": "Error executing cmdlet", "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                "stacktrace": "   at Microsoft.Exchange.Secret()",
                "internalexception": {"message": "x", "type": "Microsoft.Exchange.DirectInvokeCmdletExecutionException", "stacktrace": ""}},
            "adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": []}}),
    )
}

fn activity(status: u16, code: &str, message: &str) -> Step {
    json_answer(
        status,
        &json!({"error": {"code": code, "message": message}}),
    )
}

fn nuls() -> Step {
    static NULS: [u8; 4096] = [0; 4096];
    raw(403, &NULS).with("content-encoding", "gzip")
}

const ROWS: &[Row] = rows! {
    // Graph.
    "§2.3" DeleteMethod refusal(400, "badRequest", "The requested authentication method id of [3179] matches the user's current default authentication method, and cannot be deleted until the default authentication method is changed") => "DefaultMethod" "RT3005" "other methods first", 1;
    "§2.3" DeleteMethod refusal(400, "badRequest", "Cannot delete default method with other methods configured. Please change default method before deletion.") => "DefaultMethod" "RT3005" "other methods first", 1;
    "§2.3" DeleteMethod refusal(400, "badRequest", "This cannot go without first deleting alternate mobile number.") => "DefaultMethod" "RT3005" "other methods first", 1;
    "§10.1" Methods refusal(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified for property 'x'.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.1" SignIns refusal(400, "BadRequest", "Could not find a property named 'signInEventTypes' on type 'microsoft.graph.signIn'.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.1" Risk refusal(400, "BadRequest", "Invalid page size specified: '999'.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Audit refusal(400, "BadRequest", "Invalid request data") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§10.1" Methods refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.") => "Expired" "RT3004" "sign in again", 2;
    "§1.4" Methods refusal(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp") => "Expired" "RT3004" "sign in again", 2;
    "§10.1" Methods refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.") => "PermissionMissing" "RT3001" "`UserAuthenticationMethod.Read.All`", 1;
    "§10.1" SignIns refusal(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license") => "LicenceMissing" "RT3002" "P1 or P2", 1;
    "§10.1" Rules refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.") => "PermissionMissing" "RT3001" "leaves this mailbox out", 1;
    "§10.1" Rules refusal(403, "ErrorSendAsDenied", "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.") => "Refused" "RT3005" "message says why", 1;
    "§10.1" Methods refusal(403, "UnknownError", "") => "Gateway" "RT4001" "proxy or gateway", 1;
    "§10.1" Methods raw(403, b"<html><head><title>Blocked</title></head></html>") => "Gateway" "RT4001" "proxy or gateway", 1;
    "§10.1" User refusal(404, "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried reference-property objects are not present.") => "NotFound" "RT2001" "spelling", 1;
    "§10.1" Rules refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.") => "NotFound" "RT3005" "spelling", 1;
    "§10.1" Rules refusal(404, "MailboxNotEnabledForRESTAPI", "REST API is not yet supported for this mailbox.") => "NoMailbox" "RT3009" "on premises", 1;
    "§0.16" Audit refusal(404, "UnknownError", "") => "NotFound" "RT3005" "spelling", 1;
    "§10.1" Methods refusal(429, "TooManyRequests", "Too many requests from Identifier:x under category:aadgraph.app.tenant_large. Please try again later.").with("retry-after", "1") => "Throttled" "RT4002" "wait 1 s", 5;
    "§10.1" Risk refusal(429, "TooManyRequests", "Too many requests.") => "Throttled" "RT4002" "Wait a minute", 5;
    "§10.1" Rules refusal(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.").with("retry-after", "1") => "Throttled" "RT4002" "wait 1 s", 5;
    "§10" Methods refusal(509, "BandwidthLimitExceeded", "x") => "Throttled" "RT4002" "Wait a minute", 5;
    "§10" Methods empty(503).with("retry-after", "1") => "Throttled" "RT4002" "wait 1 s", 5;
    "§10" Methods empty(504).with("retry-after", "1") => "Server" "RT4003" "same command again", 5;
    "§10.1" SignIns refusal(500, "DataInsightsRequestError", "x") => "Server" "RT4003" "same command again", 5;
    "§7.2" Audit refusal(500, "UnknownError", "{\"Status\":\"AuditingDisabledTenant\",\"Message\":\"off\"}") => "AuditingOff" "RT3007" "UnifiedAuditLogIngestionEnabled", 5;
    // Exchange.
    "§6.5" Exchange detail(400, "BadRequest", "|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be resolved using the specified named parameters.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§6.5" Exchange json_answer(400, &json!({"error": {"code": "BadRequest", "message": "Invalid Operation", "innererror": {"message": "Invalid Operation", "internalexception": {"message": "Cannot process argument transformation", "type": "System.Management.Automation.ParameterTransformationException", "stacktrace": ""}}}})) => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§6.5" RemoveRule detail(404, "NotFound", "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object 'x' couldn't be found on 'DB7PR04A002.prod'.") => "NotFound" "RT3005" "spelling", 1;
    "§6.5" RemoveRule detail(500, "InternalServerError", "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object 'x' couldn't be found on 'DB7PR04A002.prod'.") => "NotFound" "RT3005" "spelling", 1;
    "§6.5" RemoveRule detail(404, "NotFound", "Ex41BAF5|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The specified mailbox \"x\" doesn't exist.") => "NoMailbox" "RT3009" "on premises", 1;
    "§6.5" RemoveRule detail(400, "BadRequest", "|Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException|It is there.") => "Conflict" "RT3005" "Read the object again", 1;
    "§6.5" Exchange nuls() => "PermissionMissing" "RT3001" "`Global Reader`", 1;
    "§6.5" RemoveRule nuls() => "PermissionMissing" "RT3001" "`Exchange Administrator`", 1;
    "§6.5" RemoveRule detail(400, "BadRequest", "|System.ArgumentException|The parameter 'Force' is not present in the role definition of the current user.") => "PermissionMissing" "RT3001" "`Exchange Administrator`", 1;
    "§6.5" RemoveRule detail(400, "BadRequest", "|System.Management.Automation.CommandNotFoundException|The term 'Remove-InboxRule' is not recognized as the name of a cmdlet.") => "PermissionMissing" "RT3001" "`Exchange Administrator`", 1;
    "§6.5" Exchange empty(401) => "PermissionMissing" "RT3001" "both are needed", 2;
    "§6.5" Exchange json_answer(400, &json!({"error": {"code": "BadRequest", "message": "Expired or Invalid pagination request. Default Expiry time is 00:30:00"}})) => "Refused" "RT3005" "message says why", 1;
    "§6.5" Exchange empty(429).with("retry-after", "1") => "Throttled" "RT4002" "wait 1 s", 5;
    "§6.5" Exchange empty(429) => "Throttled" "RT4002" "Wait a minute", 5;
    "§6.5" Exchange raw(200, b"\x1f\x8b not json") => "BadAnswer" "RT4003" "same command again", 1;
    "§6.3" Exchange json_answer(200, &json!({"value": [], "ErrorRecords": [{"Message": "|M.ManagementObjectNotFoundException|gone"}]})) => "NotFound" "RT3005" "spelling", 1;
    // Management Activity API.
    "§7.2" Activity activity(403, "AF10001", "The permission set () sent in the request does not include the expected permission.") => "PermissionMissing" "RT3001" "`ActivityFeed.Read`", 1;
    "§7.2" Activity activity(400, "AF20001", "Missing parameter: startTime.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Activity activity(400, "AF20002", "Invalid parameter type.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Activity activity(400, "AF20010", "The tenant ID passed in the URL is not a valid GUID.") => "WrongTenant" "RT2004" "tenant id", 1;
    "§7.2" Activity activity(400, "AF20011", "The specified tenant ID does not exist.") => "WrongTenant" "RT2004" "tenant id", 1;
    "§7.2" Activity activity(403, "AF20013", "The tenant ID passed in the URL does not match the token.") => "WrongTenant" "RT2004" "tenant id", 1;
    "§7.2" Activity activity(400, "AF20020", "The specified content type is not valid.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Activity activity(400, "AF20022", "No subscription found for the specified content type") => "NotFound" "RT3005" "spelling", 1;
    "§7.2" Activity activity(403, "AF20023", "The subscription was disabled by an administrator.") => "Refused" "RT3005" "message says why", 1;
    "§7.2" Activity activity(400, "AF20024", "The subscription is already enabled. No property change.") => "Conflict" "RT3005" "exists already", 1;
    "§7.2" Activity activity(400, "AF20030", "Start time and end time must both be specified (or both omitted).") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Activity activity(400, "AF20031", "Invalid nextPage Input.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Activity activity(400, "AF20055", "Start time and end time must be less than or equal to 24 hours apart.") => "NotUnderstood" "RT3008" "mistake of Retake", 1;
    "§7.2" Activity activity(400, "AF20050", "The specified content does not exist.") => "NotFound" "RT3005" "spelling", 1;
    "§7.2" Activity activity(400, "AF20051", "Content requested with the key has already expired.") => "NotFound" "RT3005" "spelling", 1;
    "§7.2" Activity activity(400, "AF20052", "Content ID in the URL is invalid.") => "NotFound" "RT3005" "spelling", 1;
    "§7.2" Activity activity(429, "AF429", "Too many requests. Method=GetSubscriptions") => "Throttled" "RT4002" "Wait a minute", 5;
    "§7.2" Activity activity(403, "AF429", "Too many requests. Method=GetSubscriptions") => "Throttled" "RT4002" "Wait a minute", 5;
    "§7.2" Activity activity(500, "AF50000", "An internal error occurred. Retry the request.") => "Server" "RT4003" "same command again", 5;
};

/// The kind's name without its fields.
fn name(kind: &Kind) -> String {
    let text = format!("{kind:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

#[test]
fn every_documented_error_body_becomes_its_kind_its_page_and_its_hint() {
    let mut wrong = Vec::new();
    for (index, row) in ROWS.iter().enumerate() {
        let world = World::new((0..6).map(|_| (row.answer)()));
        let error = row.asked.of(&world);
        let got = (
            name(&error.kind),
            error.page().id,
            world.services.seen().len(),
        );
        if got != (row.kind.to_owned(), row.page, row.sent) || !error.hint().contains(row.hint) {
            wrong.push(format!(
                "row {index} {}: {got:?}, hint `{}`: {error}",
                row.source,
                error.hint()
            ));
        }
        let shown = format!("{error} {}", error.hint());
        for secret in ["DB7PR04A002", "Microsoft.Exchange.Secret", "access-token"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_body_that_nobody_documented_is_kept_in_bounds_and_said_to_be_unknown() {
    let huge = format!("<html>{}</html>", "x".repeat(200_000));
    let bodies: [(String, &str); 4] = [
        (
            "<html><head><title>Sign in to the\u{1b}[2J hotel</title></head></html>".into(),
            "Sign in to the\\u{1b}[2J hotel",
        ),
        ("plain words".into(), "plain words"),
        (
            json!({"fault": {"reason": "other form"}}).to_string(),
            "other form",
        ),
        (huge, "<html>xxx"),
    ];
    for asked in [Asked::Methods, Asked::Exchange, Asked::Activity] {
        for (body, shown) in &bodies {
            let world = World::new([Step::Answer {
                status: 418,
                headers: Vec::new(),
                body: body.clone().into(),
            }]);
            let error = asked.of(&world);
            assert_eq!(error.kind, Kind::Refused);
            let text = error.to_string();
            assert!(text.contains(shown), "{text}");
            assert!(
                text.contains("form") || text.contains("no readable text"),
                "{text}"
            );
            assert!(text.chars().count() < 900);
            let kept = error.answer.as_ref().unwrap();
            assert!(kept.body.len() <= 64 * 1024);
            assert!(body.as_bytes().starts_with(&kept.body));
        }
    }
}

#[test]
fn a_token_that_an_unknown_body_repeats_is_cut_out() {
    let body: Value = json!({"echo": "Bearer access-token-1"});
    let world = World::new([json_answer(418, &body)]);
    let error = Asked::Methods.of(&world);
    let kept = String::from_utf8(error.answer.as_ref().unwrap().body.to_vec()).unwrap();
    assert!(!format!("{error:?} {error} {kept}").contains("access-token-1"));
}
