"""What stands around the functions: CloudFront before the short domain, and the alarms."""

import json
import re
import subprocess
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE, of_type, references, variables_of

# ---- the short domain ----------------------------------------------------------------------------------------------

DISTRIBUTION: dict[str, Any] = RESOURCES["ShortUrls"]["Properties"]["DistributionConfig"]
BEHAVIORS: list[dict[str, Any]] = [*DISTRIBUTION["CacheBehaviors"], DISTRIBUTION["DefaultCacheBehavior"]]
EDGE = {"Fn::Sub": "{{resolve:secretsmanager:${EdgeSecret}}}"}
NEVER = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # Managed-CachingDisabled
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # Managed-AllViewerExceptHostHeader
VIEWER = """
const handler = new Function(process.argv[1] + '; return handler')();
let asked = '';
process.stdin.on('data', (part) => { asked += part; });
process.stdin.on('end', () => console.log(JSON.stringify(JSON.parse(asked).map((request) => handler({ request })))));
"""


def behavior_for(path: str) -> dict[str, Any]:
    """The behavior that CloudFront takes: the first whose pattern matches, else the default."""
    for behavior in DISTRIBUTION["CacheBehaviors"]:
        if fnmatchcase(path, behavior["PathPattern"]):
            return behavior
    default: dict[str, Any] = DISTRIBUTION["DefaultCacheBehavior"]
    return default


def at_the_edge(*requests: tuple[str, dict[str, str]]) -> list[dict[str, str]]:
    """The headers of each request, given its path and headers, after the function that CloudFront runs first."""
    code = RESOURCES["ViewerRequest"]["Properties"]["FunctionCode"]
    asked = [
        {"method": "GET", "uri": uri, "headers": {name: {"value": value} for name, value in headers.items()}}
        for uri, headers in requests
    ]
    done = subprocess.run(
        ["node", "-e", VIEWER, code], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [{name: each["value"] for name, each in said["headers"].items()} for said in json.loads(done.stdout)]


def test_scans_are_read_only_never_kept_and_signed_for_the_redirect():
    scan = behavior_for("/EESmUazBxq")
    assert (scan["TargetOriginId"], scan["AllowedMethods"], scan["CachePolicyId"]) == (
        "redirect",
        ["GET", "HEAD"],
        NEVER,
    )
    [origin] = [each for each in DISTRIBUTION["Origins"] if each["Id"] == "redirect"]
    assert references(origin["OriginAccessControlId"]) == {"SignedScans"}
    control = RESOURCES["SignedScans"]["Properties"]["OriginAccessControlConfig"]
    assert (control["OriginAccessControlOriginType"], control["SigningBehavior"]) == ("lambda", "always")


def test_nobody_but_this_distribution_may_call_the_redirect():
    permissions = [
        each
        for each in of_type("AWS::Lambda::Permission").values()
        if references(each["FunctionName"]) == {"RedirectFunction"}
    ]
    assert {each["Action"] for each in permissions} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    for each in permissions:
        assert each["Principal"] == "cloudfront.amazonaws.com"
        assert "ShortUrls" in references(each["SourceArn"])
        assert each.get("FunctionUrlAuthType") == "AWS_IAM" or each["InvokedViaFunctionUrl"] is True


@pytest.mark.parametrize("path", ["/EESmUazBxq", "/redirections", "/redirections/EESmUazBxq"])
def test_what_is_not_kept_reaches_its_origin_with_all_that_cloudfront_knows_of_the_viewer(path):
    assert (behavior_for(path)["CachePolicyId"], behavior_for(path)["OriginRequestPolicyId"]) == (NEVER, ALL_BUT_HOST)


@pytest.mark.parametrize("path", ["/redirections", "/redirections/EESmUazBxq"])
def test_links_are_managed_on_the_short_domain_with_every_method_and_over_tls_only(path):
    behavior = behavior_for(path)
    assert behavior["TargetOriginId"] == "api"
    assert set(behavior["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}
    assert behavior["ViewerProtocolPolicy"] == "https-only"


@pytest.mark.parametrize("ending", ["qr", "png", "svg", "pdf"])
@pytest.mark.parametrize("folder", ["", "/redirections"])
def test_drawings_come_from_the_api_and_are_kept_by_domain_size_and_accept(folder, ending):
    behavior = behavior_for(f"{folder}/EESmUazBxq.{ending}")
    assert (behavior["TargetOriginId"], behavior["AllowedMethods"]) == ("api", ["GET", "HEAD"])
    [policy] = references(behavior["CachePolicyId"])
    kept_by = RESOURCES[policy]["Properties"]["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert set(kept_by["HeadersConfig"]["Headers"]) == {"accept", "x-fingerpost-domain"}
    assert set(kept_by["QueryStringsConfig"]["QueryStrings"]) == {"w", "h"}
    assert kept_by["CookiesConfig"] == {"CookieBehavior": "none"}


def test_cloudfront_names_the_domain_of_every_request_whatever_the_client_wrote():
    for behavior in BEHAVIORS:
        [association] = behavior["FunctionAssociations"]
        assert association["EventType"] == "viewer-request"
        assert references(association["FunctionARN"]) == {"ViewerRequest"}
    forged = {"host": "TN.Example", "x-fingerpost-domain": "other.example", "accept": "text/html"}
    [scan] = at_the_edge(("/EESmUazBxq", forged))
    assert scan == {"host": "TN.Example", "x-fingerpost-domain": "tn.example", "accept": "text/html"}


def test_of_accept_a_drawing_keeps_what_decides_and_in_its_order():
    browser = "text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8"
    asked = [
        ("/X.qr", browser, "*/*"),
        ("/X.qr", "", "*/*"),
        ("/X.qr", "image/svg+xml;q=0.5, text/html , Image/PNG", "image/svg+xml;q=0.5, Image/PNG"),
        ("/redirections/X.qr", "application/pdf", "application/pdf"),
        ("/X.png", "image/svg+xml", "*/*"),
        ("/redirections", "application/json", "application/json"),
    ]
    said = at_the_edge(
        *[(path, {"host": "tn.example"} | ({"accept": sent} if sent else {})) for path, sent, _ in asked]
    )
    assert [headers["accept"] for headers in said] == [kept for _, _, kept in asked]


def test_cloudfront_proves_itself_to_the_api_with_a_secret_that_only_functions_behind_it_know():
    [origin] = [each for each in DISTRIBUTION["Origins"] if each["Id"] == "api"]
    [header] = origin["OriginCustomHeaders"]
    assert header == {"HeaderName": "x-fingerpost-edge", "HeaderValue": EDGE}
    told = {name for name, (_, each) in FUNCTIONS.items() if EDGE in variables_of(each).values()}
    assert told == {"insight", "redirections"}
    assert EDGE not in TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].values()


def test_what_cloudfront_is_made_of_does_not_wait_for_cloudfront():
    """Else CloudFormation finds a circle: the redirect stands before the distribution and cannot be told its name."""
    _, redirect = FUNCTIONS["redirect"]
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"] | variables_of(redirect)
    assert "ShortUrls" not in references(variables)


def test_a_new_link_is_not_hidden_by_an_error_that_cloudfront_kept():
    kept = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in DISTRIBUTION["CustomErrorResponses"]}
    assert set(kept.values()) == {0}
    assert {404, 500, 503} <= kept.keys()


# ---- alarms --------------------------------------------------------------------------------------------------------

ALARMS = of_type("AWS::CloudWatch::Alarm")


def watched() -> set[tuple[str, str]]:
    """(metric, logical id of what it is about) of every alarm."""
    found = set()
    for alarm in ALARMS.values():
        stats = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each]
        for metric in stats or [alarm]:
            found |= {(metric["MetricName"], name) for name in references(metric.get("Dimensions", {"Ref": ""}))}
    return found


def test_no_alarm_adds_up_more_metrics_than_one_may():
    for name, alarm in ALARMS.items():
        assert sum("MetricStat" in each for each in alarm.get("Metrics", ())) <= 10, name


def test_every_function_and_every_dead_letter_queue_is_watched():
    functions = {name for name, _ in FUNCTIONS.values()} - {"SetupFunction"}  # of which CloudFormation tells
    assert functions == {name for metric, name in watched() if metric == "Throttles"}
    assert functions == {name for metric, name in watched() if metric == "Errors"}
    dead = {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    assert dead == {name for metric, name in watched() if metric == "ApproximateNumberOfMessagesVisible"}
    lags = {name for metric, name in watched() if metric == "IteratorAge"}
    assert lags == {"DeriveFunction", "DispatchFunction"}
    assert {("Url5xxCount", "RedirectFunction"), ("5xx", "Api")} <= watched()


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_the_topic_says_what_is_the_matter_and_has_few_enough_metrics(name):
    assert references(ALARMS[name]["AlarmActions"]) == {"Alarms"}
    assert len(ALARMS[name]["AlarmDescription"]) > 20
    assert sum("MetricStat" in each for each in ALARMS[name].get("Metrics", ())) <= 10  # the most that CloudWatch takes


def test_a_spilled_scan_is_counted_by_the_line_that_the_redirect_logs():
    filter_ = RESOURCES["SpilledScans"]["Properties"]
    [logged] = re.findall(r'\$\.message = "([^"]+)"', filter_["FilterPattern"])
    source = (ROOT / "layers/core/python/fingerpost/redirection/visit.py").read_text()
    assert f'"{logged}"' in source
    [metric] = filter_["MetricTransformations"]
    spills = ALARMS["ScansSpill"]
    assert (spills["Namespace"], spills["MetricName"]) == (metric["MetricNamespace"], metric["MetricName"])


def test_the_dashboard_is_json_about_what_is_in_the_stack():
    text = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert json.loads(text)["widgets"]
    known = RESOURCES.keys() | {"AWS"}
    assert set(re.findall(r"\$\{(\w+)", text)) <= known


# ---- the guide -----------------------------------------------------------------------------------------------------


def test_the_guide_to_deployment_counts_what_there_is():
    guide = (ROOT / "docs" / "deployment.md").read_text()
    metrics = sum(sum("MetricStat" in each for each in alarm.get("Metrics", ())) or 1 for alarm in ALARMS.values())
    assert f"| {len(of_type('AWS::Serverless::Function'))} functions |" in guide
    assert f"| {metrics} metrics; ten are free |" in guide
