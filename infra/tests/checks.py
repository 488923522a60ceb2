"""What validators do not see: whether the parts of infra/ fit each other and the service.

Arguments: the rendered Kubernetes overlays. Run by scripts/infra.sh.
"""

import json
import re
import sys
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parents[2]
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)


class Tagged(yaml.SafeLoader):
    """Reads CloudFormation's !Ref and !Sub as {"Ref": …}."""


Tagged.add_multi_constructor("!", lambda loader, suffix, node: {suffix: _plain(loader, node)})


def _plain(loader, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


def settings():
    """The names of all settings, from the code."""
    code = (TOP / "local/src/config/settings.rs").read_text()
    return set(re.findall(r'"((?:SCHEDULER_[A-Z_]+)|DATABASE_URL|SECRET_KEY)"', code))


def known(name, names):
    return name in names or name.removesuffix("_FILE") in names


def kubernetes(path, names):
    objects = [it for it in yaml.safe_load_all(Path(path).read_text()) if it]
    by_kind = {}
    for it in objects:
        by_kind.setdefault(it["kind"], {})[it["metadata"]["name"]] = it
    where = Path(path).stem
    workloads = [it for kind in ("Deployment", "StatefulSet", "Job") for it in by_kind.get(kind, {}).values()]
    pods = {it["metadata"]["name"]: it["spec"]["template"] for it in workloads}

    def selected(selector, labels):
        return bool(selector) and all(labels.get(key) == value for key, value in selector.items())

    def picks(selector):
        return {name for name, pod in pods.items() if selected(selector, pod["metadata"].get("labels", {}))}

    for it in workloads:
        name, spec = it["metadata"]["name"], it["spec"]
        if "selector" in spec:
            check(name in picks(spec["selector"]["matchLabels"]), f"{where}: {name} does not select its own pods")
        for constraint in spec["template"]["spec"].get("topologySpreadConstraints", []):
            check(picks(constraint["labelSelector"]["matchLabels"]) == {name}, f"{where}: {name} spreads others' pods")

    for service in by_kind["Service"].values():
        name, selector = service["metadata"]["name"], service["spec"].get("selector")
        if selector:
            found = picks(selector)
            check(len(found) == 1, f"{where}: service {name} finds {found or 'nothing'}")
            ports = {port["name"] for pod in found for c in pods[pod]["spec"]["containers"] for port in c.get("ports", [])}
            for port in service["spec"]["ports"]:
                check(port["targetPort"] in ports, f"{where}: service {name} has no port {port['targetPort']} behind it")
        check(all(port.get("protocol") for port in service["spec"]["ports"]), f"{where}: service {name} names no protocol")

    check(picks(by_kind["PodDisruptionBudget"]["scheduler"]["spec"]["selector"]["matchLabels"]) == {"scheduler"}, f"{where}: disruption budget")
    for name, of in {"scheduler": {"scheduler"}, "scheduler-migrate": {"scheduler-migrate"}}.items():
        check(picks(by_kind["NetworkPolicy"][name]["spec"]["podSelector"]["matchLabels"]) == of, f"{where}: network policy {name}")
    target = by_kind["HorizontalPodAutoscaler"]["scheduler"]["spec"]["scaleTargetRef"]
    check(target["name"] in by_kind[target["kind"]], f"{where}: the autoscaler scales nothing")
    check("replicas" not in by_kind["Deployment"]["scheduler"]["spec"], f"{where}: replicas are the autoscaler's")
    for monitor in by_kind.get("ServiceMonitor", {}).values():
        labels = monitor["spec"]["selector"]["matchLabels"]
        found = [it for it in by_kind["Service"].values() if selected(labels, it["metadata"].get("labels", {}))]
        check(len(found) == 1, f"{where}: the monitor finds {len(found)} services")
        ports = {port["name"] for it in found for port in it["spec"]["ports"]}
        check(all(it["port"] in ports for it in monitor["spec"]["endpoints"]), f"{where}: the monitor asks a port that is none")
    for rule in by_kind["Ingress"]["scheduler"]["spec"]["rules"]:
        for backend in (it["backend"]["service"] for it in rule["http"]["paths"]):
            check(backend["name"] in by_kind["Service"], f"{where}: the ingress leads to no service {backend['name']}")

    secrets = set(by_kind.get("Secret", {})) | {"scheduler"}  # made by hand in production
    for name, pod in pods.items():
        spec = pod["spec"]
        check(spec["securityContext"].get("runAsNonRoot") is True, f"{where}: {name} may run as root")
        check(spec.get("automountServiceAccountToken") is False, f"{where}: {name} gets a token of the cluster")
        volumes = {it["name"]: it for it in spec.get("volumes", [])}
        claims = {it["metadata"]["name"] for w in workloads for it in w["spec"].get("volumeClaimTemplates", [])}
        for it in volumes.values():
            if "secret" in it:
                given = it["secret"]["secretName"]
                check(given in secrets, f"{where}: {name} mounts no secret {given}")
        for container in spec["containers"]:
            image = container["image"]
            check(re.search(r":[\w.-]+$", image) and not image.endswith(":latest"), f"{where}: {image} may be anything")
            context = container["securityContext"]
            check(context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], f"{where}: {name} is not hardened")
            check("memory" in container["resources"]["limits"], f"{where}: {name} may take all memory")
            for it in container["volumeMounts"]:
                check(it["name"] in volumes or it["name"] in claims, f"{where}: {name} mounts {it['name']}, which is not there")
            for it in container.get("env", []):
                if re.match(r"SCHEDULER_|DATABASE_URL|SECRET_KEY", it["name"]):
                    check(known(it["name"], names), f"{where}: {it['name']} is no setting")
                    check("valueFrom" not in it, f"{where}: {it['name']} is a secret in the environment")
    for name, it in by_kind["ConfigMap"].items():
        for key in it["data"]:
            check(key in names, f"{where}: {key} in {name} is no setting")
    backend = pods["scheduler"]["spec"]
    grace = int(re.match(r"(\d+)s", next(iter(by_kind["ConfigMap"].values()))["data"]["SCHEDULER_SHUTDOWN_GRACE"])[1])
    pause = backend["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    check(backend["terminationGracePeriodSeconds"] >= grace + pause + 10, f"{where}: pods are killed before they have finished")


def ec2(names):
    text = (TOP / "infra/ec2/alb.yaml").read_text()
    resources = yaml.load(text, Tagged)["Resources"]
    wide = {"ecr:GetAuthorizationToken"}
    for name, it in resources.items():
        if it["Type"] != "AWS::IAM::Role":
            continue
        for policy in it["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                check(not any("*" in action for action in actions), f"ec2: {name} may do {actions}")
                check(statement["Resource"] != "*" or set(actions) <= wide, f"ec2: {name} may do {actions} to everything")
    launch = resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    check(launch["MetadataOptions"]["HttpTokens"] == "required" and launch["MetadataOptions"]["HttpPutResponseHopLimit"] == 1, "ec2: metadata")
    check(all(it["Ebs"]["Encrypted"] for it in launch["BlockDeviceMappings"]), "ec2: disks are not encrypted")
    check("22" not in re.findall(r"FromPort: (\d+)", text), "ec2: SSH is open")
    check(resources["TargetGroup"]["Properties"]["HealthCheckPath"] == "/readyz", "ec2: health check")
    for name in re.findall(r"--env (\w+)=", text):
        check(known(name, names), f"ec2: {name} is no setting")
    check(":latest" not in text, "ec2: an image that may be anything")


def compose(names):
    stack = yaml.safe_load((TOP / "docker-compose.yml").read_text())
    example = (TOP / ".env.example").read_text()
    for name, service in stack["services"].items():
        image = service.get("image", "")
        check(":" in image and not image.endswith(":latest"), f"compose: {name} runs {image}, which may be anything")
        for key, value in (service.get("environment") or {}).items():
            if re.match(r"SCHEDULER_|DATABASE_URL|SECRET_KEY", key):
                check(known(key, names), f"compose: {key} of {name} is no setting")
        for port in service.get("ports", []):
            check(port.startswith(("127.0.0.1:", "${HTTP_BIND:-127.0.0.1}:")), f"compose: {name} is open to everybody: {port}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            check(not source.startswith("./") or (TOP / source).exists(), f"compose: {name} mounts {source}, which is not there")
    check(stack["networks"]["back"].get("internal") is True, "compose: the database can be reached")
    for variable in set(re.findall(r"\$\{([A-Z_]+)", (TOP / "docker-compose.yml").read_text())):
        check(re.search(rf"^#?{variable}=", example, re.M), f"compose: {variable} is not in .env.example")


def monitoring():
    board = json.loads((TOP / "infra/monitoring/grafana/dashboards/scheduler.json").read_text())
    ids = [it["id"] for it in board["panels"]]
    check(len(ids) == len(set(ids)), "dashboard: two panels of one id")
    rules = yaml.safe_load((TOP / "infra/monitoring/prometheus/rules.yml").read_text())
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule}
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            used = set(re.findall(r"scheduler:[\w:]+", target["expr"]))
            check(used <= recorded, f"dashboard: {panel['title']} shows {used - recorded}, which no rule records")
            check(target["datasource"]["uid"] == "${DS}", f"dashboard: {panel['title']} has a data source of its own")
    tests = yaml.safe_load((TOP / "infra/monitoring/prometheus/rules.test.yml").read_text())
    fired = {it["alertname"] for test in tests["tests"] for it in test.get("alert_rule_test", []) if it.get("exp_alerts")}
    quiet = {it["alertname"] for test in tests["tests"] for it in test.get("alert_rule_test", []) if not it.get("exp_alerts")}
    check(fired == alerts, f"rules.test.yml never sees fire: {alerts - fired}")
    check(quiet == alerts, f"rules.test.yml never sees silent: {alerts - quiet}")
    for group in rules["groups"]:
        for rule in group["rules"]:
            page = re.search(r"docs/[\w-]+\.md", str(rule.get("annotations", "")))
            check(not page or (TOP / page[0]).exists(), f"rules: {page and page[0]} is not there")


names = settings()
for overlay in sys.argv[1:]:
    kubernetes(overlay, names)
ec2(names)
compose(names)
monitoring()
for failure in failures:
    print(f"error: {failure}", file=sys.stderr)
sys.exit(bool(failures))
