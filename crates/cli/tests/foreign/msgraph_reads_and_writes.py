"""`msgraph-sdk` and `azure-identity`: pages, a rule, a revocation, a 403 and a 429."""

import asyncio
import ssl

import httpx
from azure.identity import ClientSecretCredential, DeviceCodeCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.message_rule import MessageRule
from msgraph.generated.models.message_rule_actions import MessageRuleActions
from msgraph.generated.models.message_rule_predicates import MessageRulePredicates
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory, PageIterator

import lab
from lab import BASE, CA, GRAPH, LAB, USER, approve, done, requests_to

lab.use_the_labs_clock()
AUTHORITY = {
    "authority": BASE,
    "disable_instance_discovery": True,
    "connection_verify": CA,
}


def client_of(credential):
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[GRAPH], allowed_hosts=["localhost"]
    )
    http = httpx.AsyncClient(verify=ssl.create_default_context(cafile=CA), trust_env=False)
    adapter = GraphRequestAdapter(
        provider, GraphClientFactory.create_with_default_middleware(client=http, options=options)
    )
    adapter.base_url = f"{BASE}/v1.0"
    return GraphServiceClient(request_adapter=adapter), adapter


def as_app():
    return ClientSecretCredential(
        LAB["tenant_id"], LAB["client_id"], LAB["client_secret"], **AUTHORITY
    )


async def pages(adapter, builder, top):
    """Everything in a list through the library's own iterator, and in how many pages it came."""
    query = type(builder).__name__.replace("RequestBuilder", "RequestBuilderGetQueryParameters")
    parameters = getattr(type(builder), query)(top=top)
    first = await builder.get(
        request_configuration=RequestConfiguration(query_parameters=parameters)
    )
    assert first.odata_next_link, "everything came in one page"
    assert len(first.value) <= top, len(first.value)
    found = []

    def keep(one):
        found.append(one)
        return True

    await PageIterator(first, adapter).iterate(keep)
    assert len(found) > top, len(found)
    assert len({one.id for one in found}) == len(found), "an object came twice"
    return found


async def main():
    client, adapter = client_of(as_app())

    me = await client.users.by_user_id(USER).get()
    users = await pages(adapter, client.users, 5)
    assert me.id in {user.id for user in users}
    assert all(user.user_principal_name for user in users)
    done("users", sorted(user.id for user in users))

    inbox = client.users.by_user_id(USER).mail_folders.by_mail_folder_id("inbox").message_rules
    rules = await pages(adapter, inbox, 1)
    assert all(rule.display_name and rule.actions for rule in rules)
    done("rules", sorted(rule.id for rule in rules))

    # The reports' limit is five calls in ten seconds: the pages run into it, and what the library
    # waits for is what it was told.
    lab.SLEPT.clear()
    sign_ins = await pages(adapter, client.audit_logs.sign_ins, 15)
    assert all(one.ip_address and one.created_date_time for one in sign_ins)
    assert lab.SLEPT and set(lab.SLEPT) == {10}, lab.SLEPT
    refused = requests_to("/auditLogs/signIns").count(("GET", 429))
    assert refused == len(lab.SLEPT), (refused, lab.SLEPT)
    done("sign-ins", sorted(one.id for one in sign_ins))

    grants = await pages(adapter, client.oauth2_permission_grants, 1)
    assert all(grant.client_id and grant.scope for grant in grants)
    done("grants", sorted(grant.id for grant in grants))

    made = await inbox.post(
        MessageRule(
            display_name="Newsletters aside",
            sequence=9,
            is_enabled=True,
            conditions=MessageRulePredicates(subject_contains=["newsletter"]),
            actions=MessageRuleActions(mark_as_read=True, stop_processing_rules=True),
        )
    )
    assert made.id and made.conditions.subject_contains == ["newsletter"], made
    again = await inbox.by_message_rule_id(made.id).get()
    assert again.display_name == "Newsletters aside" and again.actions.mark_as_read is True
    await inbox.by_message_rule_id(made.id).delete()
    try:
        await inbox.by_message_rule_id(made.id).get()
        raise SystemExit("a deleted rule was read")
    except ODataError as gone:
        assert gone.response_status_code == 404 and gone.error.code, gone
    done("rule", "written, read, deleted")

    before = await valid_from(client)
    revoked = await client.users.by_user_id(me.id).revoke_sign_in_sessions.post()
    assert revoked.value is True, revoked
    lab.pass_time(600)
    after = await valid_from(client)
    assert after > before, (before, after)
    done("sessions", "revoked")

    lab.forbid("IdentityRiskEvent.Read.All")
    # Tokens that are out keep what they carry.
    less, _ = client_of(as_app())
    try:
        await less.identity_protection.risk_detections.get()
        raise SystemExit("risk was read without the permission")
    except ODataError as denied:
        assert denied.response_status_code == 403, denied
        assert denied.error.code == "Authorization_RequestDenied", denied.error
        assert denied.error.message == denied.primary_message, denied
        assert denied.error.inner_error.request_id, denied.error.inner_error
        done("403", f"{denied.error.code} {denied.error.message}")

    # One refusal is waited out; refusals without end are told after the library's three retries.
    lab.SLEPT.clear()
    lab.throttle("/organization", 1, 7)
    assert (await client.organization.get()).value
    assert lab.SLEPT == [7], lab.SLEPT
    assert requests_to("/organization") == [("GET", 429), ("GET", 200)]
    lab.throttle("/organization", 4, 2)
    try:
        await client.organization.get()
        raise SystemExit("four refusals were not told")
    except ODataError as busy:
        assert busy.response_status_code == 429, busy
        assert busy.error.code == "TooManyRequests", busy.error
        assert busy.response_headers.get("retry-after") == "2", busy.response_headers
    assert lab.SLEPT == [7, 2, 2, 2], lab.SLEPT
    assert requests_to("/organization")[2:] == [("GET", 429)] * 4
    done("429", f"waited {lab.SLEPT}")

    def prompt(_uri, user_code, _expires):
        approve(user_code)

    person = DeviceCodeCredential(
        LAB["client_id"], tenant_id=LAB["tenant_id"], prompt_callback=prompt, **AUTHORITY
    )
    client, _ = client_of(person)
    me = await client.me.get()
    assert me.user_principal_name and me.user_principal_name != USER, me
    try:
        await (
            client.users.by_user_id(USER)
            .mail_folders.by_mail_folder_id("inbox")
            .message_rules.get()
        )
        raise SystemExit("another person's rules were read")
    except ODataError as denied:
        assert denied.response_status_code == 403, denied
        assert denied.error.code == "ErrorAccessDenied", denied.error
    done("device code", "a person's token opens no other's mailbox")


async def valid_from(client):
    """From when on the account's sessions are valid."""
    builder = client.users.by_user_id(USER)
    wanted = type(builder).UserItemRequestBuilderGetQueryParameters(
        select=["id", "signInSessionsValidFromDateTime"]
    )
    found = await builder.get(
        request_configuration=RequestConfiguration(query_parameters=wanted)
    )
    return found.sign_in_sessions_valid_from_date_time


asyncio.run(main())
