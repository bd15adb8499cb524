"""What tests of mixop report share: pages as a browser parses them, and pages that are served."""
import html.parser
import json
import re
import subprocess
import urllib.error
import urllib.request

from program import MIXOP, answer, check


class Page(html.parser.HTMLParser):
    """The page's scripts and styles as texts, and the tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style"):
            self.scripts[-1] += data

    def policy(self):
        return next(tag["content"] for name, tag in self.tags if name == "meta" and "http-equiv" in tag)


def page_data(text, connect="'none'"):
    """The data of a page whose form is as it must be."""
    found = Page(text)
    tags = [tag for tag, _ in found.tags]
    check(tags.count("script") == 2 and tags.count("style") == 1, tags)
    policy = found.policy()
    check(policy.startswith("default-src 'none'") and f"connect-src {connect};" in policy and "unsafe" not in policy, policy)
    outside = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)
    check(not outside, outside)
    return json.loads(found.scripts[1])


def page(file, *words):
    """The runs of a page that is written now."""
    answer("report", *words, "-o", file)
    return page_data(file.read_text())["runs"]


class Serving:
    """A page that is served."""

    def __init__(self, *words):
        self.process = subprocess.Popen([MIXOP, "report", "--watch", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        check(self.address.startswith("http://127.0.0.1:") and self.address.endswith("/"), self.address or self.process.stderr.read())
        self.port = int(self.address.split(":")[2].strip("/"))

    def get(self, path="", **headers):
        request = urllib.request.Request(self.address + path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read().decode(), reply.headers

    def refused(self, path="", method="GET", body=None, **headers):
        """The status that a request is refused with."""
        try:
            request = urllib.request.Request(self.address + path, method=method, data=body, headers=headers)
            urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def data(self):
        return json.loads(self.get("data.json")[0])

    def ended_by(self, sign):
        self.process.send_signal(sign)
        return self.process.wait(timeout=60)
