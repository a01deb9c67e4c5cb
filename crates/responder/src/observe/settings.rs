//! Settings of the account's own mailbox: automatic reply, junk lists, protocols, mobile
//! devices, and the service's block from sending.

use retake_playbook::event::Facts;
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::MobileDevice;
use retake_tenant::{Tenant, TenantError};

use super::{Found, Seen, account_of, or_no_mailbox};

/// The automatic reply; one that is off is read too, so that its text is known.
pub(super) async fn auto_reply(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = match tenant.get_auto_reply(user).await {
        Ok(read) => read,
        Err(error) => return or_no_mailbox(tenant, user, error).await,
    };
    let reply = &read.value;
    let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
    let scheduled = lower(&reply.auto_reply_state).as_deref() == Some("scheduled");
    let facts = Facts::AutoReply {
        state: lower(&reply.auto_reply_state).unwrap_or_else(|| "disabled".to_owned()),
        audience: lower(&reply.external_audience),
        internal: reply.internal_message.clone().unwrap_or_default(),
        external: reply.external_message.clone().unwrap_or_default(),
        // Without a schedule the service fills in the present hour.
        from: reply.start_time.clone().filter(|_| scheduled),
        until: reply.end_time.clone().filter(|_| scheduled),
    };
    let object = ObjectRef::new(ObjectKind::AutoReply, user).named("automatic reply");
    Ok(Seen::of(read, vec![Found::new(object, facts)]))
}

/// Safe senders and junk lists.
pub(super) async fn junk_lists(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = match tenant.get_junk_lists(user).await {
        Ok(read) => read,
        Err(error) => return or_no_mailbox(tenant, user, error).await,
    };
    let lists = &read.value;
    let facts = Facts::JunkLists {
        enabled: lists.enabled.unwrap_or(true),
        trusted: lists.trusted_senders_and_domains.clone(),
        trusted_recipients: lists.trusted_recipients_and_domains.clone(),
        blocked: lists.blocked_senders_and_domains.clone(),
        contacts_trusted: lists.contacts_trusted.unwrap_or_default(),
    };
    let object = ObjectRef::new(ObjectKind::JunkLists, user).named("safe senders and junk lists");
    Ok(Seen::of(read, vec![Found::new(object, facts)]))
}

/// The protocols that programs reach the mailbox by.
pub(super) async fn protocols(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = match tenant.get_protocols(user).await {
        Ok(read) => read,
        Err(error) => return or_no_mailbox(tenant, user, error).await,
    };
    let access = &read.value;
    let facts = Facts::MailProtocols {
        imap: access.imap_enabled,
        pop: access.pop_enabled,
        ews: access.ews_enabled,
        smtp_auth_disabled: access.smtp_client_authentication_disabled,
    };
    let object = ObjectRef::new(ObjectKind::MailProtocols, user).named("mail protocols");
    Ok(Seen::of(read, vec![Found::new(object, facts)]))
}

/// The mobile devices that are paired with the mailbox.
pub(super) async fn mobile_devices(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let read = match tenant.get_mobile_devices(user).await {
        Ok(read) => read,
        Err(error) => return or_no_mailbox(tenant, user, error).await,
    };
    let objects = read.value.iter().map(device_facts).collect();
    Ok(Seen::of(read, objects))
}

fn device_facts(device: &MobileDevice) -> Found {
    let model: Vec<&str> = device
        .device_type
        .iter()
        .chain(&device.device_model)
        .map(String::as_str)
        .collect();
    let model = (!model.is_empty()).then(|| model.join(" "));
    let name = model.clone().unwrap_or_else(|| "mobile device".to_owned());
    Found::new(
        ObjectRef::new(
            ObjectKind::MobilePartnership,
            device.key().unwrap_or_default(),
        )
        .named(name),
        Facts::MobilePartnership {
            device: device.device_id.clone().unwrap_or_default(),
            model,
            client: device.client_type.clone(),
            first_sync: device.first_sync_time,
            access: device.device_access_state.clone(),
        },
    )
}

/// Whether the service stopped the account from sending. Its list is the tenant's and
/// goes by address.
pub(super) async fn sending_block(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (list, account) =
        futures_util::future::join(tenant.get_blocked_senders(), tenant.user(user)).await;
    let (list, account) = (list?, account?);
    let own = account_of(&account.value, None);
    let is_own = |address: &str| {
        own.addresses
            .iter()
            .chain([&own.upn])
            .any(|held| held.eq_ignore_ascii_case(address))
    };
    let objects = list
        .value
        .iter()
        .filter_map(|entry| Some((entry, entry.sender_address.as_deref()?)))
        .filter(|(_, address)| is_own(address))
        .map(|(entry, address)| {
            Found::new(
                ObjectRef::new(ObjectKind::SendingBlock, user).named(address),
                Facts::SendingBlock {
                    reason: entry.reason.clone(),
                    since: entry.created_datetime,
                },
            )
        })
        .take(1)
        .collect();
    Ok(Seen::of(list, objects))
}
