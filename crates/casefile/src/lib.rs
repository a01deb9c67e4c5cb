//! What did happen: journal, evidence, leases, signed export.
