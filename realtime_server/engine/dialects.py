"""The dialects of JSON schema that the families' calls are held to, by the names that `Abilities.schemas` gives them.

A model may live in another process; what judges a schema for it needs no network, and lives where the session does.
"""

from realtime_server.engine.families.wren import schemas
from realtime_server.engine.grammar import schema
from realtime_server.messages import SchemaJudge, honours_everything

JUDGES: dict[str, SchemaJudge] = {"": honours_everything, "json": schema.fault, "wren": schemas.fault}
