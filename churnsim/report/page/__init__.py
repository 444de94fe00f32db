"""The report that one hands on: a page of HTML that opens anywhere, and its charts."""
