//! Keeping what the tenant answered, unchanged, under its digest.

use retake_playbook::Digest;
use retake_playbook::event::{Event, EvidenceKept, Request};
use retake_tenant::{Answer, RequestRef};

use crate::case::Case;
use crate::error::ResponderError;

/// A request as the journal knows it.
pub(crate) fn request(request: &RequestRef) -> Request {
    Request {
        method: request.method.clone(),
        url: request.url.clone(),
        sha256: request.sha256.clone(),
    }
}

/// Keeps these answers; returns the digest of each, in their order.
///
/// Bytes that are already there are not written again, but each is named in the
/// journal once: evidence that nobody names is not evidence.
pub(crate) fn keep(
    case: &Case<'_>,
    what: &str,
    answers: &[Answer],
) -> Result<Vec<Digest>, ResponderError> {
    let mut digests = Vec::with_capacity(answers.len());
    for answer in answers {
        let digest = case.keep(&answer.body)?;
        if !case.knows(&digest) {
            case.append(Event::EvidenceKept(EvidenceKept {
                digest: digest.clone(),
                what: what.to_owned(),
                request: Some(request(&answer.request)),
                status: Some(answer.status),
                bytes: answer.body.len() as u64,
            }))?;
        }
        digests.push(digest);
    }
    Ok(digests)
}

/// Keeps a document of our own.
pub(crate) fn keep_document(
    case: &Case<'_>,
    what: &str,
    bytes: &[u8],
) -> Result<Digest, ResponderError> {
    let digest = case.keep(bytes)?;
    if !case.knows(&digest) {
        case.append(Event::EvidenceKept(EvidenceKept {
            digest: digest.clone(),
            what: what.to_owned(),
            request: None,
            status: None,
            bytes: bytes.len() as u64,
        }))?;
    }
    Ok(digest)
}
