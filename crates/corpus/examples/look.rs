use retake_corpus::*;
use retake_hunt::Import;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let seed: u64 = a[1].parse().unwrap();
    let name = &a[2];
    let mut o = Options::new(seed, 20_000).with_stories(3 + seed as usize % 4);
    o.audit = [AuditForm::Lines, AuditForm::Portal, AuditForm::Shell][seed as usize % 3];
    o.sign_ins = [SignInForm::Graph, SignInForm::Analytics][seed as usize % 2];
    o.repeats = if seed.is_multiple_of(5) { 0.44 } else { 0.05 };
    let mut l: [Vec<u8>; 5] = Default::default();
    let [x, y, z, v, w] = &mut l;
    let told = generate(
        &o,
        Logs {
            audit: Some(x),
            interactive: Some(y),
            silent: Some(z),
            directory: Some(v),
            trace: Some(w),
        },
    )
    .unwrap();
    let mut i = Import::new();
    for (n, b) in ["audit", "int", "sil", "dir", "trace"].iter().zip(&l) {
        i.add_bytes(n, b);
    }
    let i = i.finish();
    let dom: std::collections::BTreeSet<String> = [told.domain.clone()].into();
    let user = told
        .users
        .iter()
        .find(|u| u.starts_with(name.as_str()))
        .unwrap();
    let det = retake_hunt::Detections::builtin().unwrap();
    for f in det.find(&i.events, &dom) {
        if f.user == *user || a.len() > 3 {
            println!("FOUND {} {} {} {:?}", f.detection, f.title, f.user, f.first);
        }
    }
    let an = retake_hunt::analyse(
        &i.events,
        &retake_hunt::Subject {
            upn: user.clone(),
            own_domains: vec![told.domain.clone()],
            ..Default::default()
        },
        i.events.last().unwrap().time,
    );
    println!(
        "{:?} {} {:?} {:?}",
        an.verdict, an.score, an.path, an.first_known_bad
    );
    for t in told.truths.iter().filter(|t| t.user.starts_with(name)) {
        println!("{:?} {} {} {:?}", t.kind, t.user, t.first_at, t.first);
    }
    let bad: std::collections::BTreeSet<&str> = told
        .truths
        .iter()
        .flat_map(|t| &t.events)
        .map(String::as_str)
        .collect();
    for e in i.events.iter().filter(|e| {
        e.user
            .as_deref()
            .is_some_and(|u| u.starts_with(name.as_str()))
    }) {
        if !(e.is_sign_in() || bad.contains(e.record_id.as_str()) || e.operation.contains("Rule")) {
            continue;
        }
        println!(
            "{} {} {:?} {} {:?} asn {:?} {:?} i={:?} {:?} s={} dev={:?} {:?} c={:?}",
            if bad.contains(e.record_id.as_str()) {
                "BAD"
            } else {
                "   "
            },
            e.time,
            e.source,
            e.operation,
            e.address,
            e.network,
            e.user_agent
                .as_deref()
                .map(|t| &t[..t.len().min(200)])
                .map(retake_hunt::agent::signature),
            e.interactive,
            e.error_code,
            e.session_id
                .as_deref()
                .unwrap_or("-")
                .get(..8)
                .unwrap_or(""),
            e.device.id.as_deref().and_then(|d| d.get(..4)),
            e.protocol,
            e.place.country
        );
    }
}
