#!/usr/bin/env bash
# What is deployed where: checked by the tools of each trade, and by our own checks of what those do not see.
. "$(dirname "$0")/common.sh"
cache=$(cache_directory)
mkdir -p "$cache"

# ---- the tools
command -v python3 >/dev/null || apt_install python3
venv="$cache/infra-$(sha256sum infra/tests/requirements.txt | cut -c1-12)"
if [ ! -x "$venv/bin/checkov" ]; then
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  say "installing cfn-lint, checkov and kubernetes-validate (pip) into $venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" -q --disable-pip-version-check install -r infra/tests/requirements.txt || {
    rm -rf "$venv"
    skip "the tools that check infra/ cannot be installed"
  }
fi

if command -v kustomize >/dev/null; then
  kustomize=(kustomize build)
elif command -v kubectl >/dev/null; then
  kustomize=(kubectl kustomize)
else
  [ -x "$cache/kustomize/usr/bin/kustomize" ] || fetch_debian "$cache/kustomize" sid kustomize || skip "kustomize is missing"
  kustomize=("$cache/kustomize/usr/bin/kustomize" build)
fi

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
  promtool="$cache/prometheus/usr/bin/promtool"
  suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME" || true)
  if [ ! -x "$promtool" ]; then
    if [ -n "$suite" ]; then
      fetch_debian "$cache/prometheus" "$suite" prometheus || skip "promtool is missing"
    else
      apt_install prometheus
      promtool=promtool
    fi
  fi
fi

output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

# ---- Kubernetes
say "Kubernetes: kustomize, kubernetes-validate"
for overlay in dev prod; do
  "${kustomize[@]}" "infra/kubernetes/overlays/$overlay" >"$output/$overlay.yaml"
  # ServiceMonitor is of Prometheus' operator; its schema is not Kubernetes' own.
  for version in 1.32 1.36; do
    "$venv/bin/kubernetes-validate" -k "$version" --strict "$output/$overlay.yaml" >"$output/log" 2>&1 || { cat "$output/log" >&2; die "overlay $overlay"; }
    if grep -v ServiceMonitor "$output/log" | grep -q WARN; then cat "$output/log" >&2; die "overlay $overlay"; fi
  done
done

# ---- EC2
say "EC2: cfn-lint"
"$venv/bin/cfn-lint" infra/ec2/alb.yaml

# ---- everything: checkov
#   CKV_K8S_11   limits of CPU: throttling costs punctuality, and requests already divide a node fairly
#   CKV_K8S_15, CKV_K8S_43   images by digest, always pulled: an overlay names the image; its tags are not moved
#   CKV_AWS_260  port 80 sends on to HTTPS and does nothing else
#   CKV_AWS_91   access logs need a bucket: a parameter
#   CKV_AWS_158  logs are encrypted, by a key of CloudWatch's
say "checkov"
"$venv/bin/checkov" --compact --quiet --skip-download --framework kubernetes cloudformation dockerfile \
  --skip-check CKV_K8S_11,CKV_K8S_15,CKV_K8S_43,CKV_AWS_260,CKV_AWS_91,CKV_AWS_158 \
  -f "$output/prod.yaml" infra/ec2/alb.yaml local/Dockerfile

# ---- monitoring
say "Prometheus: promtool"
"$promtool" check rules infra/monitoring/prometheus/rules.yml >/dev/null
(cd infra/monitoring/prometheus && "$promtool" test rules rules.test.yml >"$output/log" 2>&1) || { cat "$output/log" >&2; die "rules.test.yml"; }
echo key >"$output/key"
sed "s|/etc/prometheus/rules.yml|$PWD/infra/monitoring/prometheus/rules.yml|; s|/run/scheduler/admin-key|$output/key|" infra/monitoring/prometheus/prometheus.yml >"$output/prometheus.yml"
"$promtool" check config "$output/prometheus.yml" >/dev/null

# ---- Compose
if docker compose version >/dev/null 2>&1; then
  say "Compose: docker compose config"
  COMPOSE_DISABLE_ENV_FILE=1 docker compose --profile demo --profile monitoring config -q
fi

say "what these tools do not see"
"$venv/bin/python" infra/tests/checks.py "$output/dev.yaml" "$output/prod.yaml"
