"""The whole product for tests: database servers, web processes, worker, beat and a mail server."""
