"""The store of a sweep: Parquet files, each whole or absent, and a ledger of them."""
