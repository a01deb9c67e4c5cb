//! Whose right on a mailbox, or on a folder of one, a record tells of.

use crate::event::Event;

/// The holders that a record names. Of a list of all who may send on behalf only those
/// that it added count: the others were there before, and the record says nothing of
/// who let them.
pub(super) fn holders(event: &Event) -> Vec<String> {
    let mut holders: Vec<String> = ["User", "Trustee", "MemberUpn"]
        .into_iter()
        .filter_map(|name| event.parameter(name))
        .map(str::to_owned)
        .collect();
    if let Some(list) = event.parameter("GrantSendOnBehalfTo") {
        let all = names(list);
        match event.modified("GrantSendOnBehalfTo") {
            Some(change) => {
                let old = names(&change.old);
                holders.extend(
                    names(&change.new)
                        .into_iter()
                        .filter(|name| !old.contains(name)),
                );
            }
            // One name alone is the one; of several nobody can tell which is new.
            None if all.len() == 1 => holders.extend(all),
            None => {}
        }
    }
    holders
}

fn names(list: &str) -> Vec<String> {
    list.split([';', ','])
        .map(|name| {
            name.trim()
                .trim_matches(['"', '[', ']', '{', '}'])
                .trim()
                .to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect()
}
