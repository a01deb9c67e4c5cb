//! How to show it: the case as Markdown, HTML and JSON.
