//! What passes the wire, held against Graph's contract.

use std::collections::BTreeSet;
use std::sync::Arc;

use retake_contract::{
    Contract, Verdict, check_cmdlet, exchanges, shared_dir, skip_without_shared,
};
use retake_drill::sequence::{Access, Runner, Sequence};
use retake_drill::wire::Exchange;
use retake_drill::{
    DrillError, Recorder, RehearsalError, SeededEntropy, Stage, respond, respond_as, run_with, wire,
};
use retake_lab::Scenario;
use retake_responder::Conduct;
use serde_json::Value;

use crate::response::Nobody;

#[test]
fn what_a_sequence_asks_and_the_lab_answers_is_what_graph_would() {
    let Some(shared) = shared_dir() else {
        skip_without_shared("the OpenAPI subsets of Graph");
        return;
    };
    let contract = Contract::load(&shared).unwrap();
    let mut passed = Vec::new();
    let sequence = Sequence::find("remove-everything").unwrap();
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_with(&scenario, 2, "recorded", async |stage: Stage| {
        let access = {
            let lab = wire::lock(&stage.lab);
            let briefing = lab.briefing();
            Access {
                tenant: briefing.tenant_id.clone(),
                client_id: briefing.client_id.clone(),
                client_secret: briefing.client_secret.clone(),
                upn: briefing.affected.clone(),
                also: None,
            }
        };
        let recorder = Recorder::before(stage.transport.clone());
        let entropy = SeededEntropy::new(stage.seed);
        Runner::new(&recorder, &stage.time, &entropy, access)
            .run(&sequence)
            .await;
        passed = recorder.exchanges();
        Ok::<_, DrillError>(None)
    })
    .unwrap();

    assert!(judge(&contract, &passed) > 20);
}

#[test]
fn what_the_responder_asks_and_the_lab_answers_is_what_graph_would() {
    let Some(shared) = shared_dir() else {
        skip_without_shared("the OpenAPI subsets of Graph");
        return;
    };
    let contract = Contract::load(&shared).unwrap();
    let mut passed = Vec::new();
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_with(&scenario, 4, "recorded", async |stage: Stage| {
        let recorder = Recorder::before(stage.transport.clone());
        let way = Arc::new(recorder.clone());
        let case = Box::pin(respond(&stage, way, Conduct::default(), &Nobody)).await?;
        passed = recorder.exchanges();
        Ok::<_, RehearsalError>(Some(case))
    })
    .unwrap();
    assert!(judge(&contract, &passed) > 200);
}

#[test]
fn every_cmdlet_of_a_drill_and_every_row_of_the_lab_is_as_documented() {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    for person in [false, true] {
        let mut passed = Vec::new();
        run_with(&scenario, 2, "recorded", async |stage: Stage| {
            let recorder = Recorder::before(stage.transport.clone());
            let tenant = crate::person::client(&stage, Arc::new(recorder.clone()), person).await;
            let case = Box::pin(respond_as(&stage, &tenant, Conduct::default(), &Nobody)).await?;
            passed = recorder.exchanges();
            Ok::<_, RehearsalError>(Some(case))
        })
        .unwrap();
        let (mut cmdlets, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        for exchange in &passed {
            if !exchange.request.uri().path().ends_with("/InvokeCommand") {
                continue;
            }
            let request: Value = serde_json::from_slice(exchange.request.body()).unwrap();
            let response = exchange.response.as_ref().unwrap();
            let answer = serde_json::from_slice(response.body()).ok();
            wrong.extend(check_cmdlet(
                &request,
                response.status().as_u16(),
                answer.as_ref(),
            ));
            cmdlets.insert(
                request["CmdletInput"]["CmdletName"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        assert_eq!(wrong, BTreeSet::new());
        for expected in [
            "Get-InboxRule",
            "Get-Mailbox",
            "Remove-InboxRule",
            "Set-Mailbox",
        ] {
            assert!(
                cmdlets.contains(expected),
                "the whole drill ran: {cmdlets:?}"
            );
        }
    }
}

/// How many exchanges are valid; fails if one is not, or is on a Graph path that the
/// contract does not know and this list does not name.
fn judge(contract: &Contract, passed: &[Exchange]) -> usize {
    let (mut valid, mut wrong) = (0, Vec::new());
    for exchange in passed {
        let response = exchange.response.as_ref().unwrap();
        let request = &exchange.request;
        let target = request.uri().path_and_query().unwrap().as_str();
        let read = exchanges(
            request.method().as_str(),
            target,
            request.body(),
            response.status().as_u16(),
            response.body(),
        );
        for part in read.unwrap() {
            match contract.check(&part) {
                Verdict::Valid => valid += 1,
                // The metadata describes no body; without one the service was seen to
                // answer 400 (reference §2.1), so that everybody sends an empty object.
                Verdict::Invalid(faults)
                    if target.ends_with("/revokeSignInSessions")
                        && faults == ["request: a body where none is described"] =>
                {
                    valid += 1;
                }
                verdict => wrong.push(format!("{} {target}: {verdict:?}", request.method())),
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert_eq!(wrong, Vec::<String>::new());
    valid
}
