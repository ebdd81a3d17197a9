"""What a PromQL expression asks for, as a parser of its own reads it."""

from typing import Any

import promql_parser


def metrics(expression: str) -> set[str]:
    """The names of the metrics and recorded series in an expression.

    Raises:
        ValueError: it is no PromQL.
    """
    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            found.add(node.name)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found
