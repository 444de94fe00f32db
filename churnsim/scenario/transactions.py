"""Which log of transactions tells the starting customers, and how it is read."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    StrictBool,
    StringConstraints,
    model_serializer,
)
from pydantic_core import core_schema

from churnsim.scenario.laws import Closed
from churnsim.scenario.measures import Measure, read_text, refuse

_DATE_PATTERN = r"\d{4}-\d{2}-\d{2}"


def read_date(value: object, _: str) -> dt.date:
    """Return a day, written as a text or as TOML's own date."""
    rule = 'must be a day of the calendar, such as "2024-09-30"'
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    text = read_text(value, rule)
    if not re.fullmatch(_DATE_PATTERN, text, re.ASCII):
        refuse(rule)
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        refuse(rule)


def write_date(value: dt.date, _: str) -> object:
    """Return a day as it would be written."""
    return value.isoformat()


_DATE_SCHEMA = {
    "type": "string",
    "pattern": f"^{_DATE_PATTERN}$",
    "examples": ["2024-09-30"],
}
Date = Annotated[dt.date, Measure(read_date, write_date, _DATE_SCHEMA)]


class Transactions(Closed):
    """A log of transactions, and how it is read."""

    file: Annotated[str, StringConstraints(max_length=10_000)] = Field(
        description="The log, its path relative to this file."
    )
    end: Date | None = Field(
        None,
        description="Last day to learn from, and the day before the simulation begins;"
        " default the log's last.",
    )
    # As in churnsim.fit, which brings numpy along; a test compares them.
    layout: Literal["auto", "csv", "parquet", "cdnow"] = Field(
        "auto", description="How the file is laid out; auto finds out."
    )
    date_format: Literal["auto", "iso", "compact", "dmy", "mdy"] = Field(
        "auto",
        description="How dates are written; only needed where day and month cannot be"
        " told apart.",
    )
    drop_duplicates: StrictBool = Field(
        False, description="Whether one of rows equal in every field is kept."
    )

    @property
    def options(self) -> dict[str, Any]:
        """Return what differs from reading the log as it is, as a file says it."""
        # The serialiser below says a log without options by its path alone.
        found: Any = self.model_dump(
            mode="json", exclude={"file"}, exclude_defaults=True
        )
        return {} if isinstance(found, str) else found

    @model_serializer(mode="wrap", when_used="json")
    def _plain_where_it_can_be(self, handler: SerializerFunctionWrapHandler) -> Any:
        is_plain = self == Transactions(file=self.file)
        return self.file if is_plain else handler(self)


class _PlainFile:
    """Lets a text stand for the log of that path, read as it is."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Return the table's schema behind the reading of a text."""
        return core_schema.no_info_before_validator_function(
            self._as_table, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the table's JSON Schema with the text beside it."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    def _as_table(self, value: object) -> object:
        if isinstance(value, dict | Transactions):
            return value
        rule = 'must be a path in quotes, or a table such as { file = "log.csv" }'
        return {"file": read_text(value, rule)}


TransactionsField = Annotated[Transactions, _PlainFile()]
