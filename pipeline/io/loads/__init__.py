"""Writes by load jobs, which cost nothing on BigQuery: rows lie in Parquet files until their job, in batch mode and in streaming mode."""
