//! What it means: readers for logs, one event schema, detections, blast radius.
