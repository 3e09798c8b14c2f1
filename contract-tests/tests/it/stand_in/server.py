"""A stand-in for Data Theorem's targets that somebody might write, with three rules of the vendor's page broken."""
import json, re, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BASE, DAY, CLOSING = "/apis/mobile_security/results/v2/", "2026-01-%02dT10:00:00.000000+00:00", ["WONT_FIX", "RISK_ACCEPTED", "COMPENSATING_CONTROL"]
CLOSING = ["CLOSED_" + name for name in CLOSING]


def target(number, app, status):
    finding = str(500 + number // 2)
    paths = [("mobile_app", f"mobile_apps/{app}"), ("security_finding", f"security_findings/{finding}"), ("self", f"security_finding_targets/{number}")]
    row = dict(id=str(number), mobile_app_id=app, security_finding_id=finding, issue_type_id=f"issue-{number % 3}", text=f"`com.example.C{number}`")
    row.update(current_status=status, current_status_date=DAY % number, date_created=DAY % 1, results_last_updated=DAY % number)
    row.update(statuses=[dict(status=status, date=DAY % number)], portal_url=f"https://portal.example/{number}", additional_contexts=[dict(type="CODE", body="x")])
    row.update(associated_sdk_ids=["sdk-1"], links=[dict(rel=rel, href=href, type="GET") for rel, href in paths])
    return row


ROWS = [target(number, "1" if number < 7 else "2", "CLOSED_FIXED" if number % 3 == 0 else "OPEN") for number in range(2, 12)]


class StandIn(BaseHTTPRequestHandler):
    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        url = urlsplit(self.path)
        path, query = url.path.removeprefix(BASE), {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers.get("Authorization") != "APIKey key":
            return self.answer(403, {"error": "who are you?"})  # DT-AUTH-REQUIRED wants 401
        if path == "security_finding_targets":
            names = ["mobile_app_id", "security_finding_id", "issue_type_id"]  # DT-TARGETS-LIST-STATUS-GROUP: ignored
            rows = [row for row in ROWS if all(row[name] == query.get(name, row[name]) for name in names)]
            rows = [row for row in rows if row["results_last_updated"] >= query.get("results_since", "")]
            start, pages = int(query.get("cursor", 0)), dict(total_count=str(len(rows)))
            if start + 4 < len(rows):
                pages["next_cursor"] = str(start + 4)
            return self.answer(200, {"security_finding_targets": rows[start : start + 4], "pagination_information": pages})
        found = re.fullmatch(r"security_finding_targets/(\w+)(/statuses)?", path)
        row = next((row for row in ROWS if found and row["id"] == found[1]), None)
        if row is None:
            return self.answer(404, {"error": "not here"})
        body = json.loads(text) if text else None
        if self.command != "GET" and not isinstance(body, dict):
            return self.answer(400, {"error": "an object, please"})
        if self.command == "PATCH":
            if not isinstance(body.get("external_id", ""), str):
                return self.answer(400, {"error": "a string, please"})
            row.update(external_id=body.get("external_id", row.get("external_id", "")))
        elif self.command == "POST":
            status = body.get("status")
            if status not in CLOSING + ["OPEN"] or not isinstance(body.get("reason", ""), str):
                return self.answer(400, {"error": "no such status"})
            row.update(current_status=status, current_status_date=DAY % 20)  # DT-TARGET-STATUS-SAME wants 409
            row["statuses"].insert(0, dict(status=status, date=DAY % 20))
            return self.answer(204)
        return self.answer(200, row)

    do_GET = do_POST = do_PATCH = handle_any

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
print(server.server_port, flush=True)
server.serve_forever()
