"""Write the alerts as an object of the Prometheus operator; `make generate` keeps it in deploy/kubernetes.

The operator reads rules from objects in the cluster, not from files. alerts.yml is the source of both.
"""

import sys
from pathlib import Path
from typing import Final

RULES: Final = Path(__file__).with_name("alerts.yml")
HEAD: Final = """\
# Written by `make generate` from deploy/prometheus/alerts.yml; change them there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: doorstep
spec:
"""


def rule_object() -> str:
    """Return the object as YAML, with the lines of the rules as they are."""
    lines = RULES.read_text(encoding="utf-8").splitlines()
    rules = lines[lines.index("groups:") :]
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in rules)


if __name__ == "__main__":
    sys.stdout.write(rule_object())
