"""The SDK's reference: what Doxygen reads in sdk/include, a page of Markdown for each header."""

import html
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
LITERAL = re.compile(r"`[^`]*`")
SECTIONS = ("public-type", "public-static-func", "public-static-attrib", "public-func", "public-attrib", "protected-func", "protected-attrib")
DOXYFILE = """
INPUT = .
RECURSIVE = YES
FILE_PATTERNS = *.h *.hpp *.cuh
EXTENSION_MAPPING = cuh=C++
EXTRACT_ALL = YES
EXCLUDE_SYMBOLS = *detail*
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
OUTPUT_DIRECTORY = ..
QUIET = YES
WARN_AS_ERROR = FAIL_ON_WARNINGS
"""


def for_doxygen(text):
    """A header whose plain C comments are Doxygen's, and whose <placeholders> and ::steps are text."""
    def marked(match):
        comment = match[0]
        literals = LITERAL.findall(comment)
        parts = [re.sub(r"(?<!\w)::", r"\\::", re.sub(r"<(\w+)>", r"\\<\1\\>", part)) for part in LITERAL.split(comment)]
        comment = parts[0] + "".join(literal + part for literal, part in zip(literals, parts[1:]))
        behind_code = text[text.rfind("\n", 0, match.start()) + 1:match.start()].strip()
        return re.sub(r"^/\*", "/**<" if behind_code else "/**", comment)
    return COMMENT.sub(marked, text)


def doxygen(include, work):
    """The folder of XML that Doxygen makes of the headers; its warnings end the program."""
    for header in sorted(file for file in include.rglob("*") if file.suffix in (".h", ".hpp", ".cuh")):
        copy = work / "include" / header.relative_to(include)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(for_doxygen(header.read_text()))
    run = subprocess.run(["doxygen", "-"], input=DOXYFILE, stderr=subprocess.PIPE, text=True, cwd=work / "include")
    if run.returncode != 0 or run.stderr:
        sys.exit(f"doxygen:\n{run.stderr}".replace(f"{(work / 'include').resolve()}/", "sdk/include/"))
    return work / "xml"


def page_name(header):
    """mixop/abi/ext/log.h has the page abi-ext-log.h.md."""
    return header.removeprefix("mixop/").replace("/", "-") + ".md"


class Reference:
    def __init__(self, folder):
        self.compounds = {d.get("id"): d for file in folder.glob("*.xml") for d in xml.parse(file).iter("compounddef")}
        self.headers = sorted(self.header_of(d) for d in self.compounds.values() if d.get("kind") == "file")
        self.places, self.names = {}, {}
        self.classes = [d for d in self.compounds.values() if d.get("kind") in ("class", "struct", "union")]
        for compound in self.classes:
            self.place(compound, compound, compound.findtext("compoundname"))
        for compound in self.compounds.values():
            for member in compound.iter("memberdef"):
                if member.get("prot", "public") != "private" and not self.names_struct(member):
                    self.place(member, compound, member.findtext("qualifiedname") or member.findtext("name"))

    def header_of(self, element):
        return element.find("location").get("file")

    def names_struct(self, member):
        """Whether it is the `typedef struct X X` of a C header."""
        return member.get("kind") == "typedef" and member.findtext("name") in self.names

    def place(self, element, compound, name):
        """Where a thing stands: its page, and an anchor that stays when others come and go."""
        page, plain = page_name(self.header_of(element)), re.sub(r"\W+", "-", name.removeprefix("mixop::")).strip("-")
        anchor, turn = plain, 1
        while (page, anchor) in self.places.values():
            turn += 1
            anchor = f"{plain}-{turn}"
        self.places[element.get("id")] = (page, anchor)
        if element.tag == "compounddef" or element.get("kind") in ("typedef", "enum") and compound.get("kind") in ("file", "namespace"):
            self.names[name.split("::")[-1]] = element.get("id")

    def link(self, refid, text):
        if refid not in self.places:
            return text
        page, anchor = self.places[refid]
        return f'<a href="{page.removesuffix(".md")}.html#{anchor}">{text}</a>'

    def code(self, text, own=None):
        """A declaration, with its types linked, as clang-format spaces it."""
        text = re.sub(r"(\w|>) ([*&]+) ?", r"\1\2 ", re.sub(r"< (.*?) >", r"<\1>", re.sub(r"< (.*?) >", r"<\1>", text)))
        text = re.sub(r"([*&]) (?=[,)>]|$)", r"\1", text).replace("(* ", " (*")
        def linked(match):
            refid = self.names.get(match[0])
            return self.link(refid, match[0]) if refid and refid != own else match[0]
        return re.sub(r"(?<![\w.\"/])[A-Za-z_]\w*(?![\w/])", linked, html.escape(text, quote=False))

    def prose(self, element):
        """The text of a comment, as HTML."""
        if element is None:
            return ""
        inner = html.escape(element.text or "", quote=False)
        for child in element:
            inner += self.prose(child) + html.escape(child.tail or "", quote=False)
        tags = {"para": "p", "computeroutput": "code", "emphasis": "em", "bold": "strong", "itemizedlist": "ul", "listitem": "li"}
        if element.tag == "ref":
            return self.link(element.get("refid"), inner)
        if element.tag in ("briefdescription", "detaileddescription"):
            return inner.strip()
        if element.tag == "ndash":
            return "--"
        if element.tag not in tags:
            sys.exit(f"docs/site/reference.py: a comment has <{element.tag}>, which it does not know")
        tag = tags[element.tag]
        return f"<{tag}>{inner.strip() if tag == 'p' else inner}</{tag}>"

    def said(self, element):
        return self.prose(element.find("briefdescription")) + self.prose(element.find("detaileddescription"))

    def declaration(self, member):
        kind, name = member.get("kind"), member.findtext("name")
        type_ = "".join(member.find("type").itertext()).strip() if member.find("type") is not None else ""
        arguments = member.findtext("argsstring") or ""
        value = "".join(member.find("initializer").itertext()) if member.find("initializer") is not None else ""
        if kind == "define":
            parameters = ", ".join(p.findtext("defname") or "" for p in member.findall("param"))
            return f"#define {name}{f'({parameters})' if parameters else ''} {value}".strip()
        if kind == "enum":
            under = f" : {type_}" if type_ else ""
            return f"enum{' class' if member.get('strong') == 'yes' else ''} {name if not name.startswith('@') else ''}".strip() + under
        if kind == "typedef":
            definition = re.sub(r" = +(typedef )?", " = ", member.findtext("definition")) + arguments
            return definition.replace(member.findtext("qualifiedname") or name, name)
        words = [f"template <{', '.join(self.template_parameter(p) for p in t)}>" for t in member.findall("templateparamlist")]
        words += ["static"] if member.get("static") == "yes" and "static" not in type_ else []
        words += ["virtual"] if member.get("virt") in ("virtual", "pure-virtual") else []
        shown = f" {value}" if len(value) < 80 and "\n" not in value else ""
        return " ".join([*words, *([type_] if type_ else []), name]) + arguments.replace("=0", " = 0").replace("=default", " = default") + shown

    def template_parameter(self, parameter):
        return " ".join("".join(e.itertext()) for e in parameter if e.tag in ("type", "declname"))

    def entry(self, member):
        """A term and its definition; of an enumeration its values as well."""
        _, anchor = self.places[member.get("id")]
        text = self.said(member)
        values = member.findall("enumvalue")
        if values:
            rows = "".join(f"<dt><code>{html.escape(v.findtext('name') + ' ' + (v.findtext('initializer') or '')).strip()}</code></dt><dd>{self.said(v)}</dd>" for v in values)
            text += f"<dl>{rows}</dl>"
        return f'<dt id="{anchor}"><code>{self.code(self.declaration(member).strip(), member.get("id"))}</code></dt><dd>{text}</dd>'

    def compound(self, compound):
        """A class with its public and protected members."""
        name = compound.findtext("compoundname").removeprefix("mixop::")
        _, anchor = self.places[compound.get("id")]
        bases = ", ".join("".join(base.itertext()) for base in compound.findall("basecompoundref"))
        template = "".join(f"template <{', '.join(self.template_parameter(p) for p in t)}> " for t in compound.findall("templateparamlist"))
        head = self.code(f"{template}{compound.get('kind')} {name}{f' : {bases}' if bases else ''}", compound.get("id"))
        members = [member for section in compound.findall("sectiondef") if section.get("kind") in SECTIONS for member in section.findall("memberdef")]
        entries = "".join(self.entry(member) for member in sorted(members, key=line_of))
        text = f'## {name} {{: #{anchor} }}\n\n<p class="declaration"><code>{head}</code></p>\n{self.said(compound)}\n'
        return text + (f'<dl class="reference">{entries}</dl>\n' if entries else "")

    def page(self, header):
        """Classes and what stands free between them, in the header's order."""
        things = [c for c in self.classes if self.header_of(c) == header]
        free = {m.get("id"): m for c in self.compounds.values() if c.get("kind") in ("file", "namespace") for m in c.iter("memberdef")
                if self.header_of(m) == header and m.get("id") in self.places}
        parts, run = [], ""
        for thing in sorted([*things, *free.values()], key=line_of):
            if thing.tag == "memberdef":
                run += self.entry(thing)
                continue
            parts += [f'<dl class="reference free">{run}</dl>\n'] if run else []
            parts, run = [*parts, self.compound(thing)], ""
        parts += [f'<dl class="reference free">{run}</dl>\n'] if run else []
        return f"# {header.removeprefix('mixop/')}\n\n`#include \"{header}\"`\n\n" + "\n".join(parts)


def line_of(element):
    return int(element.find("location").get("line"))


def write_pages(include, out, work):
    """The pages' names, the C ABI's first."""
    reference = Reference(doxygen(include, work))
    out.mkdir(parents=True)
    for header in reference.headers:
        (out / page_name(header)).write_text(reference.page(header))
    return [page_name(header) for header in sorted(reference.headers, key=lambda h: (not h.startswith("mixop/abi/"), h))]


if __name__ == "__main__":
    import tempfile
    with tempfile.TemporaryDirectory() as made:
        print(write_pages(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(made)))
