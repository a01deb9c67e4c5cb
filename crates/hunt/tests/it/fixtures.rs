//! One small export in every form that is read, written from the documented
//! shapes (reference §7, the schema pages of the tables), of tenants that are
//! made up. Each says what its columns must come out as.

use retake_hunt::readers::Form;

/// One export.
pub(crate) struct Fixture {
    /// What it is.
    pub(crate) name: &'static str,
    /// The form that its records must have.
    pub(crate) form: Form,
    /// Text before the records.
    pub(crate) head: String,
    /// The records.
    pub(crate) records: Vec<String>,
    /// Text between two.
    pub(crate) between: &'static str,
    /// Text after the last.
    pub(crate) tail: &'static str,
    /// Columns of the first record.
    pub(crate) expect: &'static [(&'static str, &'static str)],
}

impl Fixture {
    /// The whole text, and where in it each record ends.
    pub(crate) fn text(&self) -> (String, Vec<usize>) {
        let mut text = self.head.clone();
        let mut ends = Vec::new();
        for (number, record) in self.records.iter().enumerate() {
            if number > 0 {
                text.push_str(self.between);
            }
            text.push_str(record);
            ends.push(text.len());
        }
        text.push_str(self.tail);
        (text, ends)
    }
}

const AUDIT: &str = r#"{"AppAccessContext":{"AADSessionId":"5e55-N","ClientAppId":"c0ffee00-1111-4222-8333-444455556666","UniqueTokenId":"tok-N"},"ClientIPAddress":"198.51.100.2N","CreationTime":"2024-11-0NT22:41:07","ExternalAccess":false,"Id":"0a0b0c0d-0000-4000-8000-00000000000N","Operation":"New-InboxRule","OrganizationId":"7e000000-0000-4000-8000-000000000001","Parameters":[{"Name":"Name","Value":"."},{"Name":"DeleteMessage","Value":"True"}],"RecordType":1,"ResultStatus":"True","UserId":"Mika.Orr@northwind.example","UserKey":"100300","UserType":2,"Version":1,"Workload":"Exchange","NewerColumn":{"kept":true}}"#;

const AUDIT_EXPECT: &[(&str, &str)] = &[
    ("@timestamp", "2024-11-01T22:41:07Z"),
    ("event.id", "0a0b0c0d-0000-4000-8000-000000000001"),
    ("event.dataset", "ual"),
    ("event.action", "New-InboxRule"),
    ("event.outcome", "success"),
    ("organization.id", "7e000000-0000-4000-8000-000000000001"),
    ("user.name", "mika.orr@northwind.example"),
    ("user.type", "Admin"),
    ("source.ip", "198.51.100.21"),
    ("m365.session_id", "5e55-1"),
    ("m365.token_id", "tok-1"),
    ("m365.app.id", "c0ffee00-1111-4222-8333-444455556666"),
    ("parameter.DeleteMessage", "True"),
];

/// Three records: every `N` that stands for a number is one.
fn three(template: &str) -> Vec<String> {
    (1..=3)
        .map(|number: u32| {
            let number = number.to_string();
            let mut text = String::new();
            let mut chars = template.chars().peekable();
            let mut before = ' ';
            while let Some(letter) = chars.next() {
                // A capital N that stands at a number's place.
                let after = chars.peek().copied().unwrap_or(' ');
                let stands = letter == 'N'
                    && (before.is_ascii_digit() || matches!(before, '-' | '.' | '~' | ':' | '_'))
                    && !after.is_ascii_lowercase();
                if stands {
                    text.push_str(&number);
                } else if letter != '~' {
                    text.push(letter);
                }
                before = letter;
            }
            text
        })
        .collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn within(around: &str, records: &[String], each: fn(&str) -> String) -> Vec<String> {
    let wrappers = three(around);
    wrappers
        .iter()
        .zip(records)
        .map(|(wrapper, record)| wrapper.replace("RECORD", &each(record)))
        .collect()
}

fn as_text(record: &str) -> String {
    serde_json::Value::from(record).to_string()
}

fn as_is(record: &str) -> String {
    record.to_owned()
}

const SIGN_IN: &str = r#"{"id":"00112233-4455-6677-8899-aabbccddee0N","createdDateTime":"2025-06-1NT05:00:09Z","userPrincipalName":"Mika.Orr@northwind.example","userId":"aaaa0000-0000-4000-8000-000000000001","appId":"bbbb0000-0000-4000-8000-000000000001","appDisplayName":"Office Home","ipAddress":"2001:db8:77::N","clientAppUsed":"Browser","userAgent":"python-requests/2.31","correlationId":"cc-N","conditionalAccessStatus":"notApplied","isInteractive":true,"resourceDisplayName":"Microsoft Graph","resourceId":"00000003-0000-0000-c000-000000000000","status":{"errorCode":50126,"failureReason":"wrong password"},"deviceDetail":{"deviceId":"","operatingSystem":"Linux","isManaged":false},"location":{"city":"Turku","state":"Varsinais-Suomi","countryOrRegion":"fi","geoCoordinates":{"latitude":60.4,"longitude":22.2}},"riskLevelDuringSignIn":"medium"BETA}"#;
const SIGN_IN_BETA: &str = r#","sessionId":"s-N","uniqueTokenIdentifier":"uti-N","autonomousSystemNumber":64511,"authenticationProtocol":"ropc","incomingTokenType":"none","signInEventTypes":["nonInteractiveUser"],"authenticationRequirement":"singleFactorAuthentication""#;

const LOG_ANALYTICS_SIGN_IN: &str = "2025-08-0NT10:20:30Z,00112233-4455-6677-8899-aabbccddee1N,0,Ilse.Q@tail.example,Azure CLI,04b07795-8ddb-461a-bbee-02f9e1bf7b46,203.0.113.4N,deviceCode,\"{\"\"city\"\":\"\"Oslo\"\",\"\"countryOrRegion\"\":\"\"NO\"\"}\",\"{\"\"errorCode\"\":0}\",x-N";

fn columns(names: &[&str], cells: &str) -> String {
    // A record whose cells are text, as the portal's JSON has them.
    let cells: serde_json::Value = serde_json::from_str(cells).unwrap();
    let map: serde_json::Map<String, serde_json::Value> = names
        .iter()
        .zip(cells.as_array().unwrap())
        .map(|(name, cell)| ((*name).to_owned(), cell.clone()))
        .collect();
    serde_json::Value::Object(map).to_string()
}

const SIGN_IN_EXPECT: &[(&str, &str)] = &[
    ("@timestamp", "2025-06-11T05:00:09Z"),
    ("event.id", "00112233-4455-6677-8899-aabbccddee01"),
    ("event.dataset", "sign_ins"),
    ("event.outcome", "failure"),
    ("event.code", "50126"),
    ("event.reason", "wrong password"),
    ("user.name", "mika.orr@northwind.example"),
    ("user.id", "aaaa0000-0000-4000-8000-000000000001"),
    ("source.ip", "2001:db8:77::1"),
    ("source.geo.country_iso_code", "FI"),
    ("source.geo.city_name", "Turku"),
    ("user_agent.original", "python-requests/2.31"),
    ("m365.app.name", "Office Home"),
    ("m365.risk", "medium"),
    ("m365.interactive", "true"),
    ("m365.client", "Browser"),
    ("m365.resource.name", "Microsoft Graph"),
];

const DIRECTORY_EXPECT: &[(&str, &str)] = &[
    ("@timestamp", "2025-06-11T05:10:09Z"),
    ("event.dataset", "directory_audits"),
    ("event.action", "Consent to application"),
    ("user.name", "mika.orr@northwind.example"),
    ("m365.target.name", "Mail Helper"),
    ("new.ConsentAction.Permissions", "Scope: Mail.Read"),
    ("user_agent.original", "curl/8"),
    ("source.ip", "198.51.100.9"),
];

/// Every form.
#[allow(clippy::too_many_lines)]
pub(crate) fn all() -> Vec<Fixture> {
    let audit = three(AUDIT);
    let mut all = Vec::new();
    let mut put = |name, form, head: &str, records, between, tail, expect| {
        all.push(Fixture {
            name,
            form,
            head: head.to_owned(),
            records,
            between,
            tail,
            expect,
        });
    };
    // The unified audit log.
    put(
        "purview csv, new",
        Form::PurviewCsv,
        "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitNames\r\n",
        within(
            "0a0b0c0d-0000-4000-8000-00000000000N,\"2024-11-0NT22:41:07.0000000Z \",1,New-InboxRule,mika,RECORD,,",
            &audit,
            quoted,
        ),
        "\r\n",
        "\r\n",
        AUDIT_EXPECT,
    );
    put(
        "purview csv, old",
        Form::PurviewCsv,
        "CreationDate,UserIds,Operations,AuditData\n",
        within(
            "11/~N/2024 10:41:07 PM,mika,New-InboxRule,RECORD",
            &audit,
            quoted,
        ),
        "\n",
        "",
        AUDIT_EXPECT,
    );
    put(
        "search csv",
        Form::SearchCsv,
        "#TYPE Deserialized.Result\r\n\"RunspaceId\",\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\",\"IsValid\",\"ObjectState\"\r\n",
        within(
            "\"r\",\"ExchangeAdmin\",\"0N.11.2024 22:41:07\",\"mika\",\"New-InboxRule\",RECORD,\"~N\",\"3\",\"0a0b0c0d-0000-4000-8000-00000000000N\",\"True\",\"Unchanged\"",
            &audit,
            quoted,
        ),
        "\r\n",
        "\r\n",
        AUDIT_EXPECT,
    );
    put(
        "search json, powershell, text inside",
        Form::SearchJson,
        "[\r\n",
        within(
            r#"    {"RecordType":"ExchangeAdmin","CreationDate":"\/Date(173050086700N)\/","UserIds":"mika","Operations":"New-InboxRule","AuditData":RECORD,"ResultIndex":~N}"#,
            &audit,
            as_text,
        ),
        ",\r\n",
        "\r\n]\r\n",
        AUDIT_EXPECT,
    );
    put(
        "search json lines, object inside",
        Form::SearchJson,
        "",
        within(
            r#"{"CreationDate":{"value":"\/Date(173050086700N)\/","DisplayHint":2,"DateTime":"1 November"},"AuditData":RECORD}"#,
            &audit,
            as_is,
        ),
        "\n",
        "\n",
        AUDIT_EXPECT,
    );
    put(
        "audit json lines",
        Form::AuditJson,
        "",
        audit.clone(),
        "\n",
        "",
        AUDIT_EXPECT,
    );
    put(
        "management activity blob",
        Form::AuditJson,
        "[",
        audit.clone(),
        ",",
        "]",
        AUDIT_EXPECT,
    );
    put(
        "graph audit records",
        Form::GraphAuditRecords,
        r#"{"@odata.context":"https://graph.microsoft.com/beta/$metadata#x","value":["#,
        within(
            r#"{"id":"0a0b0c0d-0000-4000-8000-00000000000N","createdDateTime":"2024-11-0NT22:41:07Z","auditLogRecordType":"ExchangeAdmin","operation":"New-InboxRule","organizationId":"7e","userType":"Admin","userId":"100300","userPrincipalName":"mika","clientIp":null,"administrativeUnits":[""],"auditData":RECORD}"#,
            &audit,
            as_is,
        ),
        ",",
        "]}",
        AUDIT_EXPECT,
    );
    put(
        "splunk json",
        Form::AuditJson,
        "",
        within(
            r#"{"preview":false,"offset":~N,"result":{"_raw":RECORD,"_time":"x","host":"h"}}"#,
            &audit,
            as_text,
        ),
        "\n",
        "\n",
        AUDIT_EXPECT,
    );
    put(
        "splunk csv",
        Form::AuditJson,
        "\"_raw\",\"_time\"\n",
        within("RECORD,\"2024-11-0NT22:41:07.000+0000\"", &audit, quoted),
        "\n",
        "\n",
        AUDIT_EXPECT,
    );
    put(
        "elastic, whole record inside",
        Form::Elastic,
        "",
        within(
            r#"{"@timestamp":"2024-11-0NT22:41:07.000Z","event":{"dataset":"o365.audit","original":RECORD},"o365":{"audit":{"RecordType":1}}}"#,
            &audit,
            as_text,
        ),
        "\n",
        "\n",
        AUDIT_EXPECT,
    );
    put(
        "elastic, taken apart",
        Form::Elastic,
        "",
        three(
            r#"{"_index":"x","_source":{"@timestamp":"2024-11-0NT22:41:07.000Z","event":{"action":"New-InboxRule","id":"0a0b0c0d-0000-4000-8000-00000000000N","provider":"Exchange","dataset":"o365.audit"},"organization":{"id":"7e000000-0000-4000-8000-000000000001"},"user":{"id":"Mika.Orr@northwind.example"},"source":{"ip":"198.51.100.2N"},"o365":{"audit":{"RecordType":1,"ResultStatus":"True","UserType":2,"Parameters":{"Name":".","DeleteMessage":"True"}}}}}"#,
        ),
        "\n",
        "\n",
        &[
            ("@timestamp", "2024-11-01T22:41:07Z"),
            ("event.id", "0a0b0c0d-0000-4000-8000-000000000001"),
            ("user.name", "mika.orr@northwind.example"),
            ("source.ip", "198.51.100.21"),
            ("event.provider", "Exchange"),
            ("parameter.DeleteMessage", "True"),
        ],
    );
    // Sign-ins.
    let v1 = three(&SIGN_IN.replace("BETA", ""));
    let beta = three(
        &SIGN_IN
            .replace("BETA", SIGN_IN_BETA)
            .replace("\"isInteractive\":true,", ""),
    );
    put(
        "sign-ins, graph v1.0",
        Form::SignInsJson,
        r#"{"@odata.context":"x","@odata.nextLink":"y","value":["#,
        v1.clone(),
        ",",
        "]}",
        SIGN_IN_EXPECT,
    );
    put(
        "sign-ins, portal json",
        Form::SignInsJson,
        "[",
        v1,
        ",\n",
        "]",
        SIGN_IN_EXPECT,
    );
    put(
        "sign-ins, graph beta, not interactive",
        Form::SignInsJson,
        r#"{"value":["#,
        beta.clone(),
        ",",
        "]}",
        &[
            ("m365.session_id", "s-1"),
            ("m365.token_id", "uti-1"),
            ("source.as.number", "64511"),
            ("m365.protocol", "ropc"),
            ("m365.interactive", "false"),
            ("m365.mfa", "not_required"),
        ],
    );
    put(
        "sign-ins, service principal",
        Form::SignInsJson,
        "[",
        three(
            r#"{"id":"00112233-4455-6677-8899-aabbccddee2N","createdDateTime":"2025-06-1NT05:00:09Z","userPrincipalName":"","userId":"","servicePrincipalId":"5f000000-0000-4000-8000-00000000000N","servicePrincipalName":"Backup Robot","appId":"bbbb0000-0000-4000-8000-000000000002","ipAddress":"198.51.100.9","signInEventTypes":["servicePrincipal"],"status":{"errorCode":0},"servicePrincipalCredentialKeyId":"k"}"#,
        ),
        ",",
        "]",
        &[
            ("user.name", "backup robot"),
            ("user.id", "5f000000-0000-4000-8000-000000000001"),
            ("m365.interactive", "false"),
            ("event.outcome", "success"),
        ],
    );
    put(
        "sign-ins, managed identity",
        Form::SignInsJson,
        "",
        three(
            r#"{"id":"00112233-4455-6677-8899-aabbccddee3N","createdDateTime":"2025-06-1NT05:00:09Z","servicePrincipalId":"5f000000-0000-4000-8000-00000000001N","servicePrincipalName":"vm-identity","appId":"bbbb0000-0000-4000-8000-000000000003","ipAddress":"","signInEventTypes":["managedIdentity"],"status":{"errorCode":0}}"#,
        ),
        "\n",
        "\n",
        &[("user.name", "vm-identity"), ("m365.interactive", "false")],
    );
    put(
        "sign-ins, portal csv",
        Form::SignInsCsv,
        "\u{feff}Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,Incoming token type,Authentication Protocol,Unique token identifier,Application,Application ID ,Resource,Resource ID ,IP address,Location,Status,Sign-in error code,Failure reason,Client app,Compliant,Managed,Session ID,Autonomous system  number,Incoming token type,Conditional Access,A Newer Column\r\n",
        three(
            "2025-06-1NT05:00:09Z,00112233-4455-6677-8899-aabbccddee4N,Mozilla/5.0,c,u,Mika Orr,Mika.Orr@northwind.example,refreshToken,OAuth2,uti-N,Office Home,bbbb,Graph,00000003,198.51.100.9,\"Turku, Varsinais-Suomi, FI\",Failure,50126,wrong password,Browser,No,Yes,s-N,64511,primaryRefreshToken,Failure,new",
        ),
        "\r\n",
        "\r\n",
        &[
            ("@timestamp", "2025-06-11T05:00:09Z"),
            ("event.code", "50126"),
            ("user.name", "mika.orr@northwind.example"),
            ("m365.incoming_token", "refreshToken"),
            ("m365.protocol", "oAuth2"),
            ("m365.session_id", "s-1"),
            ("m365.token_id", "uti-1"),
            ("source.as.number", "64511"),
            ("source.geo.city_name", "Turku"),
            ("source.geo.country_iso_code", "FI"),
            ("m365.resource.name", "Graph"),
        ],
    );
    put(
        "application sign-ins, portal csv",
        Form::SignInsCsv,
        "Date (UTC),Request ID,Correlation ID,Service principal ID,Service principal name,Credential key ID,Application,Application ID,Resource,IP address,Location,Status,Sign-in error code,Conditional Access\n",
        three(
            "2025-06-1NT05:00:09Z,00112233-4455-6677-8899-aabbccddee5N,c,5f-N,Backup Robot,k,Backup,bbbb,Graph,198.51.100.9,\"Turku, Varsinais-Suomi, FI\",Success,0,Success",
        ),
        "\n",
        "\n",
        &[
            ("user.name", "backup robot"),
            ("user.id", "5f-1"),
            ("event.outcome", "success"),
        ],
    );
    put(
        "sign-ins of an interpreter of day-first dates",
        Form::SignInsCsv,
        "Date (UTC),Request ID,Username,IP address,Status\n",
        vec![
            "02/03/2025 05:00:09,r-1,a@b.example,198.51.100.9,Success".to_owned(),
            "25/03/2025 05:00:09,r-2,a@b.example,198.51.100.9,Success".to_owned(),
        ],
        "\n",
        "\n",
        &[("@timestamp", "2025-03-02T05:00:09Z")],
    );
    // Log Analytics.
    put(
        "SigninLogs csv",
        Form::LogAnalytics,
        "TimeGenerated,Id,ResultType,UserPrincipalName,AppDisplayName,AppId,IPAddress,AuthenticationProtocol,LocationDetails,Status,CorrelationId\n",
        three(LOG_ANALYTICS_SIGN_IN),
        "\n",
        "\n",
        &[
            ("@timestamp", "2025-08-01T10:20:30Z"),
            ("user.name", "ilse.q@tail.example"),
            ("m365.protocol", "deviceCode"),
            ("source.geo.city_name", "Oslo"),
            ("event.outcome", "success"),
            ("source.ip", "203.0.113.41"),
        ],
    );
    put(
        "SigninLogs csv of the portal, US times",
        Form::LogAnalytics,
        "\u{feff}\"TimeGenerated [UTC]\",Id,ResultType,UserPrincipalName,AppDisplayName,IPAddress\n",
        three("\"8/~N/2025, 2:20:30.125 PM\",i-N,50053,ilse.q@tail.example,Azure CLI,203.0.113.4N"),
        "\n",
        "\n",
        &[
            ("@timestamp", "2025-08-01T14:20:30.125Z"),
            ("event.code", "50053"),
            ("event.outcome", "failure"),
        ],
    );
    for (name, kind) in [
        (
            "AADNonInteractiveUserSignInLogs json",
            "AADNonInteractiveUserSignInLogs",
        ),
        (
            "AADServicePrincipalSignInLogs json",
            "AADServicePrincipalSignInLogs",
        ),
        (
            "AADManagedIdentitySignInLogs json",
            "AADManagedIdentitySignInLogs",
        ),
    ] {
        put(name, Form::LogAnalytics, "[", three(&r#"{"TimeGenerated":"2025-08-0NT10:20:30Z","Id":"id-N","ResultType":"0","UserPrincipalName":"ilse.q@tail.example","ServicePrincipalId":"sp-N","IPAddress":"203.0.113.4N","SessionId":"s-N","UniqueTokenIdentifier":"uti-N","AutonomousSystemNumber":"64510","LocationDetails":"{\"countryOrRegion\":\"NO\"}","Type":"KIND"}"#.replace("KIND", kind)), ",", "]",
            &[("m365.interactive", "false"), ("m365.session_id", "s-1"), ("m365.token_id", "uti-1"), ("source.as.number", "64510"), ("source.geo.country_iso_code", "NO")]);
    }
    put(
        "AuditLogs csv",
        Form::LogAnalytics,
        "TimeGenerated,Id,OperationName,Category,Result,LoggedByService,InitiatedBy,TargetResources,Type\n",
        three(
            "2025-08-0NT10:20:30Z,Directory_x_N,Add member to role,RoleManagement,success,Core Directory,\"{\"\"user\"\":{\"\"userPrincipalName\"\":\"\"Adm@tail.example\"\",\"\"ipAddress\"\":\"\"203.0.113.4N\"\"}}\",\"[{\"\"type\"\":\"\"User\"\",\"\"userPrincipalName\"\":\"\"Ilse@tail.example\"\",\"\"modifiedProperties\"\":[{\"\"displayName\"\":\"\"Role.DisplayName\"\",\"\"newValue\"\":\"\"\\\"\"Global Administrator\\\"\"\"\"}]}]\",AuditLogs",
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "directory_audits"),
            ("event.action", "Add member to role"),
            ("user.name", "adm@tail.example"),
            ("user.target.name", "ilse@tail.example"),
            ("new.Role.DisplayName", "Global Administrator"),
            ("source.ip", "203.0.113.41"),
        ],
    );
    put(
        "OfficeActivity json lines",
        Form::LogAnalytics,
        "",
        three(
            r#"{"TimeGenerated":"2025-08-0NT10:20:30Z","OfficeId":"0a0b0c0d-0000-4000-8000-00000000010N","Operation":"Set-Mailbox","OfficeWorkload":"Exchange","UserId":"Adm@tail.example","ClientIP":"[2001:db8::N]:4431","Parameters":"[{\"Name\":\"ForwardingSmtpAddress\",\"Value\":\"smtp:x@out.example\"}]","ResultStatus":"True","Type":"OfficeActivity","SourceSystem":"OfficeActivityManager"}"#,
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "ual"),
            ("event.id", "0a0b0c0d-0000-4000-8000-000000000101"),
            ("source.ip", "2001:db8::1"),
            ("parameter.ForwardingSmtpAddress", "smtp:x@out.example"),
        ],
    );
    put(
        "Log Analytics query result",
        Form::LogAnalytics,
        r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"Id","type":"string"},{"name":"ResultType","type":"string"},{"name":"UserPrincipalName","type":"string"},{"name":"AppDisplayName","type":"string"},{"name":"IPAddress","type":"string"},{"name":"Type","type":"string"}],"rows":["#,
        three(
            r#"["2025-08-0NT10:20:30Z","id-N","0","ilse.q@tail.example","Azure CLI","203.0.113.4N","SigninLogs"]"#,
        ),
        ",\n",
        "]}]}",
        &[
            ("event.id", "id-1"),
            ("user.name", "ilse.q@tail.example"),
            ("m365.app.name", "Azure CLI"),
            ("source.ip", "203.0.113.41"),
        ],
    );
    // Directory audits and risk.
    let directory = r#"{"id":"Directory_aa_N","activityDateTime":"2025-06-1NT05:10:09Z","activityDisplayName":"Consent to application","category":"ApplicationManagement","loggedByService":"Core Directory","operationType":"Assign","result":"success","resultReason":"","correlationId":"c-N","initiatedBy":{"app":null,"user":{"id":"aaaa","userPrincipalName":"Mika.Orr@northwind.example","ipAddress":"198.51.100.9"}},"targetResources":[{"id":"sp-N","displayName":"Mail Helper","type":"ServicePrincipal","modifiedProperties":[{"displayName":"ConsentAction.Permissions","oldValue":null,"newValue":"\"Scope: Mail.Read\""}]}],"additionalDetails":[{"key":"User-Agent","value":"curl/8"}]}"#;
    put(
        "directory audits, graph",
        Form::DirectoryAuditsJson,
        r#"{"@odata.context":"x","value":["#,
        three(directory),
        ",",
        "]}",
        DIRECTORY_EXPECT,
    );
    put(
        "directory audits, portal json",
        Form::DirectoryAuditsJson,
        "[",
        three(directory),
        ",",
        "]",
        DIRECTORY_EXPECT,
    );
    put(
        "directory audits, portal csv",
        Form::DirectoryAuditsCsv,
        "Date (UTC),CorrelationId,Service,Category,Activity,Result,ResultReason,ActorType,ActorDisplayName,ActorObjectId,ActorUserPrincipalName,IPAddress,Target1Type,Target1DisplayName,Target1ObjectId,Target1ModifiedProperty1Name,Target1ModifiedProperty1OldValue,Target1ModifiedProperty1NewValue\n",
        three(
            "2025-06-1NT05:10:09Z,c-N,Core Directory,ApplicationManagement,Consent to application,success,,User,Mika,aaaa,Mika.Orr@northwind.example,198.51.100.9,ServicePrincipal,Mail Helper,sp-N,ConsentAction.Permissions,,\"\"\"Scope: Mail.Read\"\"\"",
        ),
        "\n",
        "\n",
        &[
            ("@timestamp", "2025-06-11T05:10:09Z"),
            ("event.action", "Consent to application"),
            ("user.name", "mika.orr@northwind.example"),
            ("m365.target.name", "Mail Helper"),
            ("new.ConsentAction.Permissions", "Scope: Mail.Read"),
            ("source.ip", "198.51.100.9"),
        ],
    );
    put(
        "diagnostic envelopes",
        Form::Diagnostics,
        "",
        within(
            r#"{"time":"2025-06-1NT05:00:09Z","resourceId":"/tenants/t/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"NonInteractiveUserSignInLogs","tenantId":"7e-N","callerIpAddress":"198.51.100.9","properties":RECORD}"#,
            &beta,
            as_is,
        ),
        "\n",
        "\n",
        &[
            ("organization.id", "7e-1"),
            ("m365.interactive", "false"),
            ("m365.session_id", "s-1"),
            ("event.code", "50126"),
        ],
    );
    put(
        "diagnostic envelopes in a storage file",
        Form::Diagnostics,
        r#"{"records":["#,
        within(
            r#"{"time":"2025-06-1NT05:10:09Z","category":"AuditLogs","operationName":"Consent to application","tenantId":"7e-N","properties":RECORD}"#,
            &three(directory),
            as_is,
        ),
        ",",
        "]}",
        DIRECTORY_EXPECT,
    );
    put(
        "risk detections",
        Form::RiskDetections,
        r#"{"value":["#,
        three(
            r#"{"id":"risk-N","requestId":"00112233-4455-6677-8899-aabbccddee0N","correlationId":"c","riskEventType":"anomalousToken","riskLevel":"high","riskState":"atRisk","activityDateTime":"2025-06-1NT05:00:09Z","detectedDateTime":"2025-06-1NT06:00:09Z","ipAddress":"198.51.100.9","userPrincipalName":"mika.orr@northwind.example","location":{"countryOrRegion":"FI"},"additionalInfo":"[{\"Key\":\"userAgent\",\"Value\":\"curl/8\"}]"}"#,
        ),
        ",",
        "]}",
        &[
            ("event.dataset", "risk_detections"),
            ("m365.risk", "high"),
            ("m365.risk_types", "anomalousToken"),
            ("user_agent.original", "curl/8"),
            ("source.geo.country_iso_code", "FI"),
        ],
    );
    put(
        "AADUserRiskEvents csv",
        Form::RiskDetections,
        "TimeGenerated,Id,RiskEventType,RiskLevel,UserPrincipalName,IpAddress,ActivityDateTime,Type\n",
        three(
            "2025-06-1NT06:00:09Z,risk-N,unfamiliarFeatures,medium,mika.orr@northwind.example,198.51.100.9,2025-06-1NT05:00:09Z,AADUserRiskEvents",
        ),
        "\n",
        "\n",
        &[
            ("@timestamp", "2025-06-11T05:00:09Z"),
            ("m365.risk", "medium"),
            ("m365.risk_types", "unfamiliarFeatures"),
        ],
    );
    // Mail.
    put(
        "message trace, graph",
        Form::MessageTrace,
        r#"{"value":["#,
        three(
            r#"{"id":"trace-N","senderAddress":"Mika@northwind.example","recipientAddress":"Pay@other.example","messageId":"<m-N@x>","receivedDateTime":"2025-06-1NT05:00:09Z","subject":"Invoice, changed","size":9,"fromIP":"198.51.100.9","toIP":"","status":"delivered"}"#,
        ),
        ",",
        "]}",
        &[
            ("event.dataset", "message_trace"),
            ("email.sender.address", "mika@northwind.example"),
            ("email.to.address", "pay@other.example"),
            ("email.message_id", "<m-1@x>"),
            ("email.subject", "Invoice, changed"),
            ("event.outcome", "success"),
        ],
    );
    put(
        "message trace, cmdlet csv, day first",
        Form::MessageTrace,
        "\"MessageTraceId\",\"Received\",\"SenderAddress\",\"RecipientAddress\",\"MessageId\",\"Subject\",\"Status\",\"FromIP\"\r\n",
        three(
            "\"t-N\",\"23/0N/2025 05:00:09\",\"mika@northwind.example\",\"pay@other.example\",\"<m-N@x>\",\"Invoice; \"\"new\"\"\",\"Failed\",\"198.51.100.9\"",
        ),
        "\r\n",
        "\r\n",
        &[
            ("@timestamp", "2025-01-23T05:00:09Z"),
            ("email.subject", "Invoice; \"new\""),
            ("event.outcome", "failure"),
            ("source.ip", "198.51.100.9"),
        ],
    );
    put(
        "message trace, portal csv",
        Form::MessageTrace,
        "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,original_client_ip,directionality\n",
        three(
            "2025-06-1NT05:00:09.123Z,mika@northwind.example,Pay@other.example##Receive,Invoice,100,<m-N@x>,n-N,198.51.100.9,Originating",
        ),
        "\n",
        "\n",
        &[
            ("email.to.address", "pay@other.example"),
            ("email.message_id", "<m-1@x>"),
            ("source.ip", "198.51.100.9"),
        ],
    );
    put(
        "EmailEvents csv",
        Form::AdvancedHunting,
        "Timestamp,NetworkMessageId,InternetMessageId,SenderFromAddress,SenderIPv4,RecipientEmailAddress,Subject,EmailDirection,DeliveryAction,DeliveryLocation,ReportId\n",
        three(
            "2025-06-1NT05:00:09Z,n-N,<m-N@x>,Mika@northwind.example,198.51.100.9,Pay@other.example,Invoice,Outbound,Delivered,External,n-N-1",
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "message_trace"),
            ("email.sender.address", "mika@northwind.example"),
            ("email.to.address", "pay@other.example"),
            ("event.outcome", "success"),
            ("parameter.EmailDirection", "Outbound"),
        ],
    );
    put(
        "UrlClickEvents json",
        Form::AdvancedHunting,
        "[",
        three(
            r#"{"Timestamp":"2025-06-1NT05:00:09Z","Url":"https://login.bad.example/N","ActionType":"ClickAllowed","AccountUpn":"Mika@northwind.example","Workload":"Email","NetworkMessageId":"n-N","IPAddress":"198.51.100.9","IsClickedThrough":0,"ReportId":"rep-N"}"#,
        ),
        ",",
        "]",
        &[
            ("event.dataset", "url_clicks"),
            ("event.action", "ClickAllowed"),
            ("user.name", "mika@northwind.example"),
            ("source.ip", "198.51.100.9"),
            ("event.outcome", "success"),
        ],
    );
    put(
        "EntraIdSignInEvents csv",
        Form::AdvancedHunting,
        "Timestamp,Application,ApplicationId,LogonType,ErrorCode,CorrelationId,SessionId,AccountUpn,AccountObjectId,ResourceDisplayName,OSPlatform,UserAgent,IPAddress,Country,City,RequestId,RiskLevelAggregated,AuthenticationRequirement\n",
        three(
            "2025-06-1NT05:00:09Z,Office Home,bbbb,\"[\"\"nonInteractiveUser\"\"]\",0,c,s-N,Mika@northwind.example,aaaa,Graph,Linux,curl/8,198.51.100.9,fi,Turku,00112233-4455-6677-8899-aabbccddee6N,100,singleFactorAuthentication",
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "sign_ins"),
            ("m365.interactive", "false"),
            ("m365.session_id", "s-1"),
            ("m365.risk", "high"),
            ("source.geo.country_iso_code", "FI"),
            ("event.outcome", "success"),
            ("m365.mfa", "not_required"),
            ("m365.app.id", "bbbb"),
        ],
    );
    put(
        "AADSignInEventsBeta json",
        Form::AdvancedHunting,
        "",
        three(
            r#"{"Timestamp":"2025-06-1NT05:00:09Z","ReportId":"r-N","Application":"Office Home","ApplicationId":"bbbb","LogonType":["interactiveUser"],"ErrorCode":50126,"RequestId":"00112233-4455-6677-8899-aabbccddee7N","AccountUpn":"Mika@northwind.example","IPAddress":"198.51.100.9","AadDeviceId":"dev-N","IsManaged":0,"IsCompliant":1}"#,
        ),
        "\n",
        "\n",
        &[
            ("event.id", "00112233-4455-6677-8899-aabbccddee71"),
            ("event.code", "50126"),
            ("event.outcome", "failure"),
            ("m365.interactive", "true"),
            ("device.id", "dev-1"),
        ],
    );
    put(
        "CloudAppEvents with the audit record",
        Form::AdvancedHunting,
        "",
        within(
            r#"{"Timestamp":"2024-11-0NT22:41:07Z","ActionType":"New-InboxRule","Application":"Microsoft Exchange Online","ReportId":"rep-N","RawEventData":RECORD}"#,
            &audit,
            as_text,
        ),
        "\n",
        "\n",
        AUDIT_EXPECT,
    );
    put(
        "CloudAppEvents without",
        Form::AdvancedHunting,
        "Timestamp,ActionType,Application,AccountObjectId,AccountId,IPAddress,CountryCode,City,UserAgent,ObjectName,ReportId\n",
        three(
            "2025-06-1NT05:00:09Z,FileDownloaded,Dropbox,aaaa,Mika@northwind.example,198.51.100.9,FI,Turku,curl/8,plan.xlsx,rep-N",
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "cloud_apps"),
            ("event.action", "FileDownloaded"),
            ("user.name", "mika@northwind.example"),
            ("m365.object", "plan.xlsx"),
            ("source.geo.city_name", "Turku"),
        ],
    );
    put(
        "Defender for Cloud Apps activities",
        Form::CloudAppActivities,
        r#"{"data":["#,
        three(
            r#"{"_id":"act-N","timestamp":171717171700N,"eventTypeValue":"EVENT_CATEGORY_LOGIN","eventTypeName":"EVENT_CATEGORY_LOGIN","appName":"Dropbox","aadTenantId":"7e","user":{"userName":"Mika@northwind.example"},"device":{"clientIP":"198.51.100.9","userAgent":"curl/8","countryCode":"FI"},"location":{"countryCode":"FI","city":"Turku"},"description":"Log on"}"#,
        ),
        ",",
        "]}",
        &[
            ("event.dataset", "cloud_apps"),
            ("event.id", "act-1"),
            ("@timestamp", "2024-05-31T16:08:37.001Z"),
            ("user.name", "mika@northwind.example"),
            ("source.ip", "198.51.100.9"),
            ("source.geo.city_name", "Turku"),
        ],
    );
    // Graph, Copilot.
    put(
        "MicrosoftGraphActivityLogs csv",
        Form::GraphActivity,
        "TimeGenerated,RequestId,OperationId,RequestMethod,RequestUri,ResponseStatusCode,UserId,AppId,IPAddress,UserAgent,SignInActivityId,SessionId,Scopes,Type\n",
        three(
            "2025-06-1NT05:00:09Z,req-N,req-N,GET,https://graph.microsoft.com/v1.0/me/messages,200,aaaa,bbbb,198.51.100.9,curl/8,uti-N,s-N,Mail.Read,MicrosoftGraphActivityLogs",
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "graph_activity"),
            ("event.action", "Graph GET"),
            ("user.id", "aaaa"),
            ("m365.app.id", "bbbb"),
            ("m365.token_id", "uti-1"),
            ("m365.session_id", "s-1"),
            (
                "m365.object",
                "https://graph.microsoft.com/v1.0/me/messages",
            ),
            ("event.outcome", "success"),
            ("parameter.Scopes", "Mail.Read"),
        ],
    );
    put(
        "GraphApiAuditEvents json",
        Form::GraphActivity,
        "[",
        three(
            r#"{"Timestamp":"2025-06-1NT05:00:09Z","RequestId":"req-N","OperationId":"op-N","RequestMethod":"POST","RequestUri":"https://graph.microsoft.com/v1.0/me/sendMail","ResponseStatusCode":"403","AccountObjectId":"aaaa","ApplicationId":"bbbb","IpAddress":"198.51.100.9","UniqueTokenIdentifier":"uti-N","EntityType":"user"}"#,
        ),
        ",",
        "]",
        &[
            ("event.id", "req-1/op-1"),
            ("event.outcome", "failure"),
            ("event.code", "403"),
            ("m365.token_id", "uti-1"),
            ("user.type", "user"),
        ],
    );
    put(
        "Graph activity in a diagnostic envelope",
        Form::Diagnostics,
        "",
        three(
            r#"{"time":"2025-06-1NT05:00:09Z","category":"MicrosoftGraphActivityLogs","tenantId":"7e","callerIpAddress":"198.51.100.9","properties":{"requestId":"req-N","requestMethod":"GET","requestUri":"https://graph.microsoft.com/beta/users","responseStatusCode":200,"userId":"aaaa","appId":"bbbb","signInActivityId":"uti-N"}}"#,
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "graph_activity"),
            ("event.outcome", "success"),
            ("source.ip", "198.51.100.9"),
            ("m365.token_id", "uti-1"),
        ],
    );
    put(
        "Copilot interactions, graph",
        Form::CopilotInteractions,
        r#"{"value":["#,
        three(
            r#"{"id":"170N","sessionId":"s","requestId":"q-N","appClass":"IPM.SkypeTeams.Message.Copilot.BizChat","interactionType":"userPrompt","conversationType":"bizchat","createdDateTime":"2025-06-1NT05:00:09Z","from":{"user":{"id":"aaaa","displayName":"Mika"}},"body":{"contentType":"text","content":"find passwords"},"contexts":[{"contextReference":"https://x/plan.docx","displayName":"plan.docx"}]}"#,
        ),
        ",",
        "]}",
        &[
            ("event.dataset", "copilot"),
            ("event.action", "Copilot userPrompt"),
            ("user.id", "aaaa"),
            ("parameter.content", "find passwords"),
            ("m365.target.name", "plan.docx"),
        ],
    );
    put(
        "Copilot interactions, audit log",
        Form::AuditJson,
        "",
        three(
            r#"{"CreationTime":"2025-06-1NT05:00:09","Id":"0a0b0c0d-0000-4000-8000-00000000020N","Operation":"CopilotInteraction","RecordType":261,"UserId":"Mika@northwind.example","Workload":"Copilot","ClientIP":"198.51.100.9","CopilotEventData":{"AppHost":"Bizchat","ThreadId":"19:x","AccessedResources":[{"Name":"plan.docx","ID":"https://x/plan.docx","Type":"docx","Action":"Read"}],"Messages":[{"Id":"1","isPrompt":true}]}}"#,
        ),
        "\n",
        "\n",
        &[
            ("event.action", "CopilotInteraction"),
            ("m365.target.name", "plan.docx"),
            ("parameter.AppHost", "Bizchat"),
        ],
    );
    put(
        "security alerts, graph",
        Form::SecurityAlerts,
        r#"{"value":["#,
        three(
            r#"{"id":"al-N","tenantId":"7e","title":"Anonymous IP address","category":"InitialAccess","createdDateTime":"2025-06-1NT06:00:09Z","firstActivityDateTime":"2025-06-1NT05:00:09Z","severity":"high","status":"new","serviceSource":"azureAdIdentityProtection","evidence":[{"userAccount":{"userPrincipalName":"Mika@northwind.example","azureAdUserId":"aaaa"}},{"ipAddress":"198.51.100.9"}]}"#,
        ),
        ",",
        "]}",
        &[
            ("event.dataset", "security_alerts"),
            ("@timestamp", "2025-06-11T05:00:09Z"),
            ("user.name", "mika@northwind.example"),
            ("source.ip", "198.51.100.9"),
            ("m365.risk", "high"),
            ("event.reason", "Anonymous IP address"),
            ("parameter.severity", "high"),
        ],
    );
    // Listings.
    put(
        "inbox rules, graph",
        Form::InboxRules,
        r#"{"value":["#,
        three(
            r#"{"id":"rule-N","displayName":"..","sequence":~N,"isEnabled":true,"conditions":{"subjectContains":["invoice","payment"]},"actions":{"delete":true,"forwardTo":[{"emailAddress":{"address":"x@out.example"}}]}}"#,
        ),
        ",",
        "]}",
        &[
            ("event.dataset", "listing"),
            ("event.action", "Inbox rule listed"),
            ("parameter.Name", ".."),
            ("parameter.DeleteMessage", "true"),
            ("parameter.SubjectContainsWords", "invoice;payment"),
        ],
    );
    put(
        "inbox rules, cmdlet csv",
        Form::InboxRules,
        "\"UserName\",\"RuleName\",\"Enabled\",\"ForwardTo\",\"RedirectTo\",\"MoveToFolder\",\"DeleteMessage\",\"SubjectContainsWords\"\n",
        three(
            "\"Mika@northwind.example\",\"rule N\",\"True\",\"\",\"x-N@out.example\",\"RSS Feeds\",\"False\",\"invoice\"",
        ),
        "\n",
        "\n",
        &[
            ("m365.mailbox", "mika@northwind.example"),
            ("parameter.MoveToFolder", "RSS Feeds"),
            ("parameter.RedirectTo", "x-1@out.example"),
        ],
    );
    put(
        "delegated grants, graph",
        Form::AppGrants,
        r#"{"value":["#,
        three(
            r#"{"id":"g-N","clientId":"sp-N","consentType":"AllPrincipals","principalId":null,"resourceId":"res","scope":"Mail.Read offline_access"}"#,
        ),
        ",",
        "]}",
        &[
            ("event.action", "Application grant listed"),
            ("m365.app.id", "sp-1"),
            ("parameter.Scope", "Mail.Read offline_access"),
            ("parameter.ConsentType", "AllPrincipals"),
        ],
    );
    put(
        "app role assignments, graph",
        Form::AppGrants,
        "[",
        three(
            r#"{"id":"a-N","createdDateTime":"2025-06-1NT05:00:09Z","appRoleId":"role-N","principalId":"sp-N","principalDisplayName":"Mail Helper","resourceId":"res","resourceDisplayName":"Microsoft Graph"}"#,
        ),
        ",",
        "]",
        &[
            ("@timestamp", "2025-06-11T05:00:09Z"),
            ("m365.resource.name", "Microsoft Graph"),
            ("parameter.AppRoleId", "role-1"),
        ],
    );
    put(
        "mailbox rights, cmdlet csv",
        Form::MailboxRights,
        "Identity,User,AccessRights,IsInherited,Deny\n",
        three("box-N@northwind.example,eve@northwind.example,FullAccess,False,False"),
        "\n",
        "\n",
        &[
            ("event.action", "Mailbox right listed"),
            ("m365.mailbox", "box-1@northwind.example"),
            ("parameter.AccessRights", "FullAccess"),
            ("parameter.User", "eve@northwind.example"),
        ],
    );
    // Elastic's own spelling of Entra.
    put(
        "elastic sign-ins",
        Form::Elastic,
        "",
        three(
            r#"{"@timestamp":"2025-06-1NT05:00:09Z","azure":{"signinlogs":{"category":"SignInLogs","tenant_id":"7e","properties":{"id":"00112233-4455-6677-8899-aabbccddee8N","user_principal_name":"Mika@northwind.example","app_display_name":"Office Home","ip_address":"198.51.100.9","status":{"error_code":50126}}}}}"#,
        ),
        "\n",
        "\n",
        &[
            ("event.dataset", "sign_ins"),
            ("user.name", "mika@northwind.example"),
            ("event.code", "50126"),
            ("organization.id", "7e"),
        ],
    );
    put(
        "an envelope that somebody put around",
        Form::AuditJson,
        "",
        within(
            r#"{"collector":"x","seen":~N,"payload":RECORD}"#,
            &audit,
            as_is,
        ),
        "\n",
        "\n",
        AUDIT_EXPECT,
    );
    let names = ["CreationTime", "Operation", "RecordType", "UserId", "Id"];
    put("audit records whose cells are columns", Form::AuditJson, "",
        three(r#"["2025-06-1NT05:00:09","FileAccessed","6","mika@northwind.example","0a0b0c0d-0000-4000-8000-00000000030N"]"#).iter().map(|cells| columns(&names, cells)).collect(), "\n", "\n",
        &[("event.action", "FileAccessed"), ("m365.record_type", "6")]);
    all
}
