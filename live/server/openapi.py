"""The interface as OpenAPI 3.1, told from the same structs that check it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from live.server.operations import Plan
from live.server.responses import PROBLEM_TYPE, Problem

REFERENCE: Final = "#/components/schemas/{name}"
SECURITY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "publishKey": {"type": "http", "scheme": "bearer", "description": "a show's publish key"},
    "operator": {"type": "http", "scheme": "bearer", "description": "`KKOT_OPERATOR_TOKEN`"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "kkot_access"},
}
SIGNED_IN: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"cookie": []}]

JsonObject = dict[str, Any]


def document(
    plans: Iterable[Plan], fragments: Iterable[Mapping[str, Any]], *, version: str
) -> JsonObject:
    """The whole document.

    `fragments`: paths of raw routes, each `{path: path item}`, merged method by method.
    """
    plans = list(plans)
    schemas, components = _schemas(plans)
    paths: dict[str, JsonObject] = {}
    for plan, schema in zip(plans, schemas, strict=True):
        paths.setdefault(plan.path, {})[plan.method.lower()] = _operation(plan, schema)
    for fragment in fragments:
        for path, item in fragment.items():
            paths.setdefault(path, {}).update(item)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kkot",
            "version": version,
            "summary": "Live commerce: go live, watch, chat and buy in one stream",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY_SCHEMES},
    }


def _schemas(plans: list[Plan]) -> tuple[list[dict[str, JsonObject]], JsonObject]:
    """For each plan the schemas of what it takes and gives, and the components they refer to."""
    wanted: list[tuple[int, str, Any]] = []
    for index, plan in enumerate(plans):
        if plan.body is not None:
            wanted.append((index, "body", plan.body))
        if plan.query is not None:
            fields = msgspec.structs.fields(plan.query)
            wanted += [(index, f"?{field.name}", field.type) for field in fields]
        if plan.returns not in (None, type(None)):
            wanted.append((index, "answer", plan.returns))
    types = [kind for _, _, kind in wanted]
    found, components = msgspec.json.schema_components([*types, Problem], ref_template=REFERENCE)
    schemas: list[dict[str, JsonObject]] = [{} for _ in plans]
    for (index, role, _), schema in zip(wanted, found, strict=False):
        schemas[index][role] = schema
    return schemas, components


def _operation(plan: Plan, schemas: Mapping[str, JsonObject]) -> JsonObject:
    summary, _, more = (plan.handler.__doc__ or "").strip().partition("\n")
    operation: JsonObject = {
        "operationId": _operation_id(plan),
        "summary": summary,
        "tags": [plan.path.split("/")[1]],
        "responses": _answers(plan, schemas),
    }
    if more.strip():
        operation["description"] = re.sub(r"\n[ \t]+", "\n", more.strip())
    if parameters := _parameters(plan, schemas):
        operation["parameters"] = parameters
    if "body" in schemas:
        content = {"application/json": {"schema": schemas["body"]}}
        operation["requestBody"] = {"required": True, "content": content}
    if "person" in plan.filled:
        operation["security"] = SIGNED_IN
    elif "visitor" in plan.filled:
        operation["security"] = [{}, *SIGNED_IN]
    return operation


def _operation_id(plan: Plan) -> str:
    words = re.findall(r"\w+", plan.path)
    return "_".join([plan.method.lower(), *words])


def _parameters(plan: Plan, schemas: Mapping[str, JsonObject]) -> list[JsonObject]:
    text = {"type": "string"}
    found: list[JsonObject] = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in plan.path_names
    ]
    if "idempotency_key" in plan.filled:
        key = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    found += [
        {"name": role[1:], "in": "query", "required": False, "schema": schema}
        for role, schema in schemas.items()
        if role.startswith("?")
    ]
    return found


def _answers(plan: Plan, schemas: Mapping[str, JsonObject]) -> JsonObject:
    if "answer" in schemas:
        content = {"application/json": {"schema": schemas["answer"]}}
        answers: JsonObject = {str(plan.status): {"description": "Done", "content": content}}
    else:
        answers = {"204": {"description": "Done"}}
    refused = {PROBLEM_TYPE: {"schema": {"$ref": REFERENCE.format(name="Problem")}}}
    statuses = {"400": "Malformed", "413": "Too large", "415": "Not JSON", "422": "Invalid"}
    if "body" in schemas:
        answers |= {s: {"description": d, "content": refused} for s, d in statuses.items()}
    if "person" in plan.filled:
        answers["401"] = {"description": "Sign in first", "content": refused}
    answers["default"] = {"description": "Refused; see `code`", "content": refused}
    return answers
