//! The control port: one JSON object a line in, one a line out.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::Shared;
use crate::fault::Fault;
use crate::people::Ask;

/// Answers one connection until it ends.
pub(super) async fn serve(stream: TcpStream, shared: Shared) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match serde_json::from_str::<Value>(&line) {
            Ok(order) => obey(&shared, &order),
            Err(error) => json!({"error": format!("not JSON: {error}")}),
        };
        if write
            .write_all(format!("{answer}\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}

fn obey(shared: &Shared, order: &Value) -> Value {
    if order["op"] == "advance" {
        let Some(seconds) = order["seconds"].as_f64().filter(|s| *s >= 0.0) else {
            return json!({"error": "`advance` needs `seconds`, not negative"});
        };
        return match Duration::try_from_secs_f64(seconds) {
            Ok(by) => json!({"now": shared.advance(by)}),
            Err(error) => json!({"error": error.to_string()}),
        };
    }
    let mut state = shared.lock();
    let now = state.clock.now();
    let answer = match order["op"].as_str() {
        Some("now") => json!({"now": now, "hanging": state.hanging}),
        Some("ask") => match serde_json::from_value::<Ask>(order["ask"].clone()) {
            Ok(ask) => json!({"answer": state.lab.ask(ask, now)}),
            Err(error) => json!({"error": error.to_string()}),
        },
        Some("trace") => {
            state.lab.advance(now);
            json!({"trace": state.lab.trace_jsonl()})
        }
        Some("final_state") => json!({"final_state": state.lab.final_state()}),
        Some("finish_restore") => {
            state.lab.finish_restore(now);
            json!({"now": now})
        }
        Some("hold") => {
            let on = order["on"].as_bool().unwrap_or(true);
            state.clock.hold(on);
            json!({"now": state.clock.now()})
        }
        Some("inject") => match serde_json::from_value::<Fault>(order["fault"].clone()) {
            Ok(fault) => {
                state.lab.inject(fault);
                json!({"now": now})
            }
            Err(error) => json!({"error": error.to_string()}),
        },
        Some("set_permission") => {
            let permission = order["permission"].as_str().unwrap_or_default();
            let granted = order["granted"].as_bool().unwrap_or(true);
            json!({"changed": state.lab.set_permission(permission, granted)})
        }
        Some("approve_device_code") => {
            let code = order["user_code"].as_str().unwrap_or_default().to_owned();
            let user = order["user"]
                .as_str()
                .unwrap_or(&state.lab.briefing().operator)
                .to_owned();
            json!({"approved": state.lab.approve_device_code(&code, &user, now)})
        }
        Some("browser_session") => {
            let user = order["user"]
                .as_str()
                .unwrap_or(&state.lab.briefing().operator)
                .to_owned();
            json!({"cookie": state.lab.browser_session(&user, now)})
        }
        Some("workload_token") => json!({"token": state.lab.workload_token(now)}),
        Some("register_certificate") => {
            let pem = order["pem"].as_str().unwrap_or_default();
            json!({"registered": state.lab.register_certificate(pem.as_bytes())})
        }
        Some("set_role") => {
            let role = order["role"].as_str().unwrap_or_default();
            let granted = order["granted"].as_bool().unwrap_or(true);
            json!({"changed": state.lab.set_role(role, granted)})
        }
        Some("set_unconfirmed") => {
            let name = order["name"].as_str().unwrap_or_default().to_owned();
            let variant = order["variant"].as_str().unwrap_or_default().to_owned();
            match state.lab.set_unconfirmed(&name, &variant) {
                Ok(()) => json!({"now": now}),
                Err(error) => json!({"error": error.to_string()}),
            }
        }
        _ => {
            json!({"error": "unknown `op`: now, advance, ask, trace, final_state, finish_restore, hold, inject, approve_device_code, browser_session, workload_token, register_certificate, set_permission, set_role, set_unconfirmed"})
        }
    };
    state.tell();
    answer
}
