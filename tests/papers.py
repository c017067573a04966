"""Documents made by hand, as small as their formats allow: PDF, RTF, old Word and Excel, DOCX."""

import io
import struct
import zipfile
from xml.sax.saxutils import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def zipped(parts, method=zipfile.ZIP_DEFLATED):
    """A zip with these parts, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as package:
        for name, content in parts.items():
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return buffer.getvalue()


def docx(*blocks, more=None):
    """Paragraphs are strings, tables lists of rows; a cell is text or (text, across, vMerge)."""
    body = "".join(_paragraph(each) if isinstance(each, str) else _table(each) for each in blocks)
    document = f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    parts = {"[Content_Types].xml": TYPES, "word/document.xml": document, **(more or {})}
    return zipped(parts)


def _paragraph(text):
    turned = text.startswith("\f")
    mark = '<w:br w:type="page"/>' if turned else ""
    return f"<w:p><w:r>{mark}<w:t>{escape(text.strip(chr(12)))}</w:t></w:r></w:p>"


def _table(rows):
    return f"<w:tbl>{''.join(map(_row, rows))}</w:tbl>"


def _row(cells):
    out = ""
    for cell in cells:
        text, across, merge = cell if isinstance(cell, tuple) else (cell, 1, None)
        facts = f'<w:gridSpan w:val="{across}"/>' if across > 1 else ""
        facts += f'<w:vMerge w:val="{merge}"/>' if merge else ""
        out += f"<w:tc><w:tcPr>{facts}</w:tcPr>{_paragraph(text)}</w:tc>"
    return f"<w:tr>{out}</w:tr>"


def pdf(*pages, encrypted=False, image=False):
    """Pages of (x, y, text) in points from the bottom left; ("box", x, y, w, h) draws a rule.

    Letters are written through a ToUnicode map of one code for each letter of all pages.
    """
    letters = sorted({c for page in pages for each in page if each[0] != "box" for c in each[2]})
    codes = {letter: number for number, letter in enumerate(letters, 1)}
    count = len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids "
        f"[{' '.join(f'{5 + 2 * n} 0 R' for n in range(count))}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R /FirstChar 0 "
        b"/LastChar 255 /Widths [" + b"500 " * 256 + b"] >>",
        _stream(_to_unicode(codes)),
    ]
    for number, page in enumerate(pages):
        drawn = "".join(_drawn(each, codes) for each in page)
        drawn += "q 500 0 0 700 50 50 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q\n" if image else ""
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents "
            + f"{6 + 2 * number} 0 R".encode()
            + b" /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(_stream(drawn.encode("latin-1")))
    if encrypted:
        objects.append(
            b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <"
            + b"41" * 32
            + b"> /U <"
            + b"42" * 32
            + b"> >>"
        )
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    locked = f"/Encrypt {len(objects)} 0 R /ID [<41> <41>] " if encrypted else ""
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R {locked}>>\n"
    return out + f"{trailer}startxref\n{start}\n%%EOF".encode()


def ruled(left, top, widths, rows, height=20):
    """What :func:`pdf` draws for a table: rules and texts; ``None``: part of the cell before."""
    drawn = []
    for number, row in enumerate(rows):
        y, x = top - (number + 1) * height, left
        for column, text in enumerate(row):
            across = widths[column]
            if text is not None:
                after = row[column + 1 :]
                run = next((n for n, t in enumerate(after) if t is not None), len(after))
                across = sum(widths[column : column + 1 + run])
                drawn += [("box", x, y, across, height), (x + 3, y + 6, text)]
            x += widths[column]
    return drawn


def _drawn(each, codes):
    if each[0] == "box":
        return "{} {} {} {} re S\n".format(*each[1:])
    x, y, text = each
    said = "".join(f"{codes[letter]:02x}" for letter in text)
    return f"BT /F1 10 Tf {x} {y} Td <{said}> Tj ET\n"


def _stream(content):
    return b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream"


def _to_unicode(codes):
    rows = "".join(f"<{code:02x}> <{ord(letter):04x}>\n" for letter, code in codes.items())
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{rows}endbfchar endcmap end end"
    ).encode()


def rtf(text):
    """Text with \\u for what is not ASCII; paragraphs end at line ends."""
    said = "".join(c if c < "\x80" else f"\\u{ord(c)}?" for c in text).replace("\n", "\\par\n")
    return b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 .VnTime;}}\\pard " + said.encode() + b"}"


def ole(streams):
    """An OLE2 file with these streams, each of 4,096 bytes at least so that it has sectors."""
    sectors, chains, entries = [], [], []
    for name, said in streams.items():
        content = said.ljust(max(4096, -(-len(said) // 512) * 512), b"\0")
        first = len(sectors)
        sectors += [content[at : at + 512] for at in range(0, len(content), 512)]
        chains += [*range(first + 1, len(sectors)), 0xFFFFFFFE]
        entries.append(_entry(name, 2, first, len(content)))
    siblings = [_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1), *entries]
    for number in range(1, len(siblings) - 1):  # a tree that only leans right
        siblings[number] = (
            siblings[number][:72] + struct.pack("<I", number + 1) + siblings[number][76:]
        )
    directory = b"".join(siblings).ljust(512, b"\0")
    at = len(sectors)
    sectors.append(directory[:512])
    chains.append(0xFFFFFFFE)
    chains.append(0xFFFFFFFD)
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(512, b"\xff")
    sectors.append(fat[:512])
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    head += struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<9I", 0, 1, at, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    return head + struct.pack("<I", at + 1).ljust(436, b"\xff") + b"".join(sectors)


def _entry(name, kind, first, size, child=0xFFFFFFFF):
    said = name.encode("utf-16-le")
    entry = said.ljust(64, b"\0") + struct.pack("<HBB", len(said) + 2, kind, 1)
    entry += struct.pack("<3I", 0xFFFFFFFF, 0xFFFFFFFF, child) + b"\0" * 36
    return entry + struct.pack("<IQ", first, size)


def doc(text, locked=False):
    """An old Word file of one piece of text in UTF-16."""
    body = text.encode("utf-16-le")
    main = bytearray(1024)
    struct.pack_into("<H", main, 0, 0xA5EC)
    struct.pack_into("<H", main, 10, 0x0100 if locked else 0)
    struct.pack_into("<I", main, 0x4C, len(text))
    plc = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, 1024, 0)
    clx = b"\x02" + struct.pack("<I", len(plc)) + plc
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    return ole({"WordDocument": bytes(main) + body, "0Table": clx})


def xls(rows):
    """An old Excel file: one sheet of strings and numbers."""
    globe = _record(0x809, struct.pack("<HHHH", 0x0500, 5, 0, 0))
    sheet_at = len(globe) + 4 + 6 + 1 + 5 + 4
    globe += _record(0x85, struct.pack("<IHB", sheet_at, 0, 5) + b"Sheet") + _record(0x0A, b"")
    sheet = _record(0x809, struct.pack("<HHHH", 0x0500, 0x10, 0, 0))
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if isinstance(value, str):
                said = value.encode("cp1252")
                sheet += _record(0x204, struct.pack("<HHHH", y, x, 0, len(said)) + said)
            else:
                sheet += _record(0x203, struct.pack("<HHHd", y, x, 0, value))
    return ole({"Book": globe + sheet + _record(0x0A, b"")})


def _record(code, content):
    return struct.pack("<HH", code, len(content)) + content
