"""The database: sessions and transactions, the read pool, pagination, date ranges, errors by SQLSTATE."""
