//! The report as one page that loads nothing and runs nothing.

use askama::Template;

use crate::chart::{LANES, WIDTH};
use crate::model::Model;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    m: &'a Model,
    lanes: [(&'static str, f64); 3],
    width: f64,
}

pub(crate) fn write(model: &Model) -> Result<String, askama::Error> {
    Page {
        m: model,
        lanes: LANES,
        width: WIDTH,
    }
    .render()
}
