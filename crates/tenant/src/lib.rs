//! How to reach it: typed reads and changes of a Microsoft 365 tenant.
