"""Known answers for the word traps of the domain, properties, and the sanity of the tables."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.lexicon import Lexicon, ProductTerm
from corpus.lexicon_tables import TableError, data_folder, read_table
from corpus.phrases import Phrases, key, read
from corpus.records import STAGES
from corpus.text import fold, normalise

LEXICON = Lexicon.load()
DATA = Path(str(data_folder()))


def names(text: str, accented: bool | None = None) -> list[str]:
    return [product.name for product in LEXICON.products(text, accented)]


def relation(need: str, technology: str) -> str:
    return LEXICON.relation(LEXICON.products(need), LEXICON.products(technology))


# Products and homographs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bảo quản vải thiều sau thu hoạch", ["vải thiều"]),
        ("vườn vải ra hoa sớm", ["vải"]),
        ("lọc túi vải", []),
        ("máy cắt vải cho xưởng may", []),
        ("dệt vải lanh", ["vải dệt"]),
        ("gạo thơm", ["lúa gạo"]),
        ("nông dân trồng thơm ở Tân Phước", ["dứa"]),
        ("mùi thơm đặc trưng", []),
        ("mục tiêu của đề tài", []),
        ("chỉ tiêu, tiêu chuẩn và thị trường tiêu thụ", []),
        ("bệnh chết nhanh trên cây tiêu", ["hồ tiêu"]),
        ("nuôi cá mè trong ao", ["cá chép"]),
        ("dầu mè ép lạnh", ["vừng"]),
        ("tinh chất lá dứa", ["lá dứa"]),
        ("nước ép dứa", ["nước ép trái cây", "dứa"]),
        ("mãng cầu xiêm", ["mãng cầu xiêm"]),
        ("mãng cầu ta", ["na"]),
        ("bơ sữa Mộc Châu", ["sữa"]),
        ("trồng bơ Booth ở Đắk Lắk", ["bơ"]),
        ("in nhãn cho bao bì", ["bao bì"]),
        ("nhãn hiệu tập thể", []),
        ("nhãn lồng Hưng Yên", ["nhãn"]),
        ("hệ thống điều khiển tự động", []),
        ("điều kiện áp dụng theo Điều 5 Nghị định", []),
        ("máy bóc vỏ lụa điều", ["điều"]),
        ("Điều", ["điều"]),
        ("thu hồi dung môi, phục hồi rừng", []),
        ("trồng hồi ở Lạng Sơn", ["hồi"]),
        ("keo lai và bạch đàn", ["gỗ keo", "gỗ bạch đàn"]),
        ("keo dán", []),
        ("mắm ruốc", ["mắm"]),
        ("ruốc thịt lợn nạc", ["ruốc thịt", "lợn"]),
        ("đánh bắt ruốc ven biển", ["ruốc biển"]),
        ("mận Mộc Châu", ["mận"]),
        ("mận An Phước ở Tiền Giang", ["roi"]),
        ("củ sắn để làm tinh bột", ["sắn", "tinh bột"]),
        ("củ sắn cho món gỏi cuốn", ["củ đậu"]),
        ("tinh dầu bạc hà", ["bạc hà"]),
        ("khóm tre, khóm lúa", ["tre", "lúa gạo"]),
        ("trồng khóm Queen", ["dứa"]),
        ("bắp cải và bắp chuối", ["bắp cải", "chuối"]),
        ("máy tẽ bắp", ["ngô"]),
        ("công nghệ lạc hậu", []),
        ("dừa Bến Tre", ["dừa"]),
        ("khoai mì ở Tây Ninh", ["sắn"]),
        ("công ty tại Trà Vinh", []),
        ("kiểm tra, điều tra", []),
        ("đá vảy trên tàu cá", ["nước đá", "tàu cá"]),
        ("nấm đối kháng Trichoderma trừ nấm bệnh", ["chế phẩm sinh học"]),
        ("trồng nấm rơm", ["nấm rơm"]),
        ("giao thông thông minh", []),
        ("công nghệ Nghệ An", []),
        ("Lê Văn Đào tạo việc làm", []),
        ("chanh, leo giàn", ["chanh"]),
        ("nuôi cá tra", ["cá tra"]),
        ("rau, củ, quả", ["rau quả"]),
        ("drying of mangoes and lychees", ["xoài", "vải"]),
        ("shrimp farming", ["tôm"]),
        ("Chè Thái Nguyên", ["chè"]),
        ("cà phê chè", ["cà phê"]),
        ("Na", ["na"]),
        ("Rau quả (rau ăn lá, củ, quả)", ["rau quả"]),
        ("Thịt và trứng gia cầm", ["gia cầm"]),
        ("gà thịt, vịt xiêm thịt", ["gà", "ngan"]),
        ("hột gà, hột vịt", ["trứng gà", "trứng vịt"]),
        ("trừ trứng và dòi ruồi đục quả trong xoài", ["xoài"]),
        ("an toàn thực phẩm", []),
        ("khung thép, nồi inox", []),
        ("canxi từ xương cá", ["phụ phẩm thủy sản"]),
        ("mương thoát nước xương cá", []),
        ("bể xi măng", []),
        ("nhà máy xi măng", ["xi măng"]),
        ("ống thép đường kính 24 cm", []),
        ("thay lò than bằng bơm nhiệt", []),
        ("sản xuất than củi", ["than"]),
        ("phân viên nén dúi sâu cho lúa", ["lúa gạo"]),
        ("tinh đông lạnh cọng rạ", []),
        ("trà gừng và trà thảo mộc", ["gừng", "dược liệu"]),
        ("chả quế", ["giò chả"]),
        ("lá nếp", ["lá dứa"]),
        ("mỳ gạo", ["mì sợi"]),
        ("ao nuôi thay cá tạp", []),
        ("túi giấy bao trái", ["bao bì"]),
        ("trạm khí tượng đồng ruộng", []),
        ("đúc tượng đồng", ["kim hoàn"]),
        ("vải, na, hồng", ["vải", "na", "hồng"]),
        ("salt-tolerant rice", ["lúa gạo"]),
        ("sea salt", ["muối"]),
        ("coffee by the honey process", ["cà phê"]),
        ("moulded-pulp trays", []),
    ],
)
def test_products_known_answers(text: str, expected: list[str]) -> None:
    assert [*dict.fromkeys(names(text))] == [*dict.fromkeys(expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bao quan xoai", {"xoài"}),
        ("bao quan dua", {"dứa", "dừa", "dưa"}),
        ("nuoi ca tra", {"cá tra"}),
        ("che bien che", {"chè"}),
        ("nuoi tom the chan trang", {"tôm thẻ chân trắng"}),
        ("san pham cua nong dan", set()),
        ("nuoi cua bien", {"cua"}),
        ("chuoi cung ung", set()),
        ("trong vai nam qua", set()),
        ("vuon vai thieu", {"vải thiều"}),
        ("dieu khien, dieu kien", set()),
        ("hat dieu", {"điều"}),
        ("muc tieu", set()),
        ("san xuat quy mo lon", set()),
        ("nuoi lon", {"lợn"}),
        ("dieu", {"điều"}),
        ("tem cho xoai Son La", {"xoài"}),
        ("truc vit", set()),
        ("nghien cuu khi hau", set()),
        ("che thai nguyen", {"chè"}),
        ("na", {"na"}),
        ("ngo son la", {"ngô"}),
        ("san va san pham tu san", {"sắn"}),
        ("duoc lieu bac ha", {"dược liệu"}),
        ("nen xi mang", set()),
    ],
)
def test_products_without_accents(text: str, expected: set[str]) -> None:
    assert set(names(text)) == expected


def test_product_knows_its_ancestors_and_family() -> None:
    (lychee,) = LEXICON.products("vải thiều Lục Ngạn")
    assert lychee.ancestors == ("vải", "cây ăn quả", "rau quả", "nông sản")
    assert lychee.family == LEXICON.terms["nhãn"].family == LEXICON.terms["chôm chôm"].family


def test_term_finds_names_and_aliases() -> None:
    assert LEXICON.term("Khoai mì") == LEXICON.terms["sắn"]
    assert LEXICON.term("Tôm sú") == LEXICON.terms["tôm sú"]
    assert LEXICON.term("máy bay phản lực") is None


def test_mentions_give_offsets_of_the_normalised_text() -> None:
    text = "Sấy\u00a0xoa\u0300i cát"  # decomposed, with a no-break space
    (mention,) = LEXICON.product_mentions(text)
    assert normalise(text)[mention.start : mention.end] == mention.found == "xoài cát"
    assert mention.name == "xoài"


# Relation


@pytest.mark.parametrize(
    ("need", "technology", "expected"),
    [
        ("vải", "vải", "same"),
        ("vải", "vải thiều", "same"),
        ("trái cây", "xoài", "same"),
        ("vải thiều", "trái cây", "broader"),
        ("vải thiều", "nông sản", "broader"),
        ("vải", "nhãn", "near"),
        ("vải thiều", "chôm chôm", "near"),
        ("tôm thẻ", "tôm sú", "near"),
        ("kẹo dừa", "cơm dừa", "near"),
        ("bún", "gạo", "near"),
        ("tôm", "trái cây", "other"),
        ("tôm", "cá tra", "other"),
        ("cà phê", "cao su", "other"),
        ("lợn", "gà", "other"),
        ("máy bơm", "tôm", "unknown"),
        ("tôm", "", "unknown"),
    ],
)
def test_relation_known_answers(need: str, technology: str, expected: str) -> None:
    assert relation(need, technology) == expected


def test_need_for_fruit_above_all_lychee_is_about_lychee() -> None:
    assert relation("bảo quản trái cây, nhất là vải", "bảo quản xoài") == "near"


def test_means_count_only_where_nothing_else_is_named() -> None:
    assert relation("bao bì cho xoài", "bao bì cho tôm") == "other"
    assert relation("bao bì", "bao bì sinh học") == "same"


@given(st.sampled_from(sorted(LEXICON.terms)), st.sampled_from(sorted(LEXICON.terms)))
def test_relation_is_total_and_near_is_mutual(one: str, other: str) -> None:
    a, b = LEXICON.terms[one], LEXICON.terms[other]
    forth, back = LEXICON.relation([a], [b]), LEXICON.relation([b], [a])
    assert forth != "unknown"
    assert (forth in ("near", "other")) == (back in ("near", "other"))
    if "near" in (forth, back):
        assert forth == back
    assert LEXICON.relation([a], [a]) == "same"


# Dialect


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nuôi heo nái", {"lợn nái"}),
        ("heo chết", {"lợn"}),
        ("đậu phộng", {"lạc", "đậu phụng"}),
        ("bắp bị sâu", {"ngô"}),
        ("bắp cải bị sâu", set()),
        ("gạo thơm", set()),
        ("trái thơm", {"quả", "dứa", "khóm"}),
        ("chè xanh", {"trà xanh"}),
        ("Trà Vinh", set()),
        ("nuôi cá lóc", {"cá quả", "cá chuối", "cá tràu", "cá sộp"}),
        ("cá mè", set()),
        ("trồng mè", {"vừng"}),
        ("hiệu quả và kết quả", set()),
        ("bên trái", set()),
        ("sợi bông", set()),
        ("khổ qua", {"mướp đắng"}),
        ("máy hư hoài", {"hỏng"}),
        ("tiêu dùng", set()),
        ("chà bông", {"ruốc"}),
        ("tỷ lệ đậu quả", {"đậu trái"}),
        ("nuôi nghêu", {"ngao"}),
    ],
)
def test_expand_known_answers(text: str, expected: set[str]) -> None:
    assert set(LEXICON.expand(text)) == expected


def test_expand_leaves_out_what_the_text_has() -> None:
    assert "heo" not in LEXICON.expand("lợn (heo)")


def test_variant_tells_where_and_what() -> None:
    (variant,) = LEXICON.variants("Trồng ngô lai")
    assert (variant.start, variant.end, variant.found) == (6, 9, "ngô")
    assert variant.others == ("bắp",)


@pytest.mark.parametrize("text", ["nuoi heo", "trong khoai mi", "bao quan dua"])
def test_expand_works_without_accents(text: str) -> None:
    assert LEXICON.expand(text)


def test_single_syllables_without_accents_need_proof() -> None:
    assert LEXICON.expand("to chuc thuc hien cua tinh, huong dan su dung") == ()


def test_dialect_groups_cover_what_the_domain_lists() -> None:
    pairs = "lợn/heo|ngô/bắp|lạc/đậu phộng|sắn/khoai mì|dứa/khóm|na/mãng cầu ta|vừng/mè|quả/trái"
    for pair in pairs.split("|"):
        one, other = pair.split("/")
        assert other in LEXICON.dialect[one].words
    assert len({group.name for group in LEXICON.dialect.values()}) >= 70


# Abbreviations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("máy CNC khắc gỗ", {"CNC": "máy điều khiển số"}),
        ("vùng rau CNC", {"CNC": "công nghệ cao"}),
        (
            "Sở KH,CN&ĐMST",
            {"KH,CN&ĐMST": "khoa học, công nghệ và đổi mới sáng tạo"},
        ),
        ("HTX và htx", {"HTX": "hợp tác xã", "htx": "hợp tác xã"}),
        ("ai cũng biết", {}),
        ("ứng dụng AI", {"AI": "trí tuệ nhân tạo"}),
        ("bao gói MAP cho rau", {"MAP": "bao gói khí quyển biến đổi"}),
        ("tờ MAP", {}),
        ("khoảng 200tr", {"tr": "triệu"}),
        ("giá 5.000 đ", {"đ": "đồng"}),
        ("đường tr", {}),
        ("bq sp lâu hơn", {"bq": "bảo quản", "sp": "sản phẩm"}),
        ("cây CN lâu năm", {"CN": "công nghiệp"}),
        ("CN số", {"CN": "công nghệ"}),
    ],
)
def test_abbreviations_known_answers(text: str, expected: dict[str, str]) -> None:
    assert {short.found: short.long for short in LEXICON.abbreviations(text)} == expected


def test_abbreviations_are_many() -> None:
    assert len(LEXICON.shorts) >= 60


# Processes and stages


@pytest.mark.parametrize(
    ("text", "process", "stage"),
    [
        ("sấy thăng hoa", "sấy", "chế biến"),
        ("trái mau hư, để không được lâu", "bảo quản", "bảo quản"),
        ("cấp đông nhanh", "cấp đông", "bảo quản"),
        ("nuôi cấy mô chuối", "nuôi cấy mô", "giống"),
        ("tưới nhỏ giọt", "tưới", "canh tác/nuôi trồng"),
        ("heo bị dịch", "phòng chống dịch bệnh vật nuôi", "phòng trừ dịch bệnh"),
        ("đánh bắt xa bờ", "khai thác hải sản", "khai thác"),
        ("máy gặt đập", "thu hoạch", "thu hoạch"),
        ("nước thải làng nghề", "xử lý nước thải", "phụ phẩm/môi trường"),
        ("tem QR truy xuất nguồn gốc", "truy xuất nguồn gốc", "truy xuất/chất lượng"),
        ("chuỗi lạnh", "chuỗi lạnh", "logistics"),
        ("thiết kế bao bì", "thiết kế bao bì", "mẫu mã/thiết kế"),
        ("sàn thương mại điện tử", "thương mại điện tử", "thị trường/quản trị số"),
        ("lò sấy tốn củi, tốn điện", "tiết kiệm năng lượng", "năng lượng"),
        ("mã số vùng trồng", "quy hoạch vùng nguyên liệu", "vùng nguyên liệu"),
        ("freeze drying", "sấy", "chế biến"),
        ("bao quan sau thu hoach", "bảo quản", "bảo quản"),
        ("máy CNC khắc tượng", "khắc CNC", "chế biến"),
        ("ong bị bệnh", "phòng trị bệnh", "phòng trừ dịch bệnh"),
        ("đúc gạch không nung", "đúc bê tông gạch không nung", "chế biến"),
    ],
)
def test_processes_known_answers(text: str, process: str, stage: str) -> None:
    assert process in [found.name for found in LEXICON.processes(text)]
    assert stage in LEXICON.stages(text)


@pytest.mark.parametrize(
    ("text", "process"),
    [
        ("đảm bảo quản lý tốt", "bảo quản"),
        ("lồng ghép các chương trình", "ghép"),
        ("ép giá nông dân", "ép"),
        ("người nuôi", "nuôi trồng"),
        ("táo bón", "bón phân"),
    ],
)
def test_processes_avoid_other_meanings(text: str, process: str) -> None:
    assert process not in [found.name for found in LEXICON.processes(text)]


def test_stages_put_the_most_evidence_first() -> None:
    text = "sấy, xay và chiết xuất để bảo quản"
    assert LEXICON.stages(text) == ("chế biến", "bảo quản")


def test_every_stage_has_processes() -> None:
    stages = {step.stage for step in LEXICON.steps.values() if step}
    assert stages == set(STAGES)
    assert len({step.name for step in LEXICON.steps.values() if step}) >= 90


# Filler


def test_content_drops_filler_as_a_whole() -> None:
    words = ["Hiện", "nay", "chúng", "tôi", "cần", "máy", "sấy", "mực"]
    assert LEXICON.content(words) == ("máy", "sấy", "mực")
    assert LEXICON.content([fold(word) for word in words], accented=False) == (
        "can",
        "may",
        "say",
        "muc",
    )


def test_stopwords_are_no_products_and_no_processes() -> None:
    assert not LEXICON.stopwords & {*LEXICON.names, *LEXICON.homographs}
    assert not LEXICON.stopwords & {word for word, step in LEXICON.steps.items() if step}
    assert LEXICON.is_stopword("Chúng tôi")
    assert not LEXICON.is_stopword("xoài")
    assert len(LEXICON.stopwords) >= 200


# Properties

SNIPPETS = (
    "vải|nhãn|điều|5|túi|lọc|trồng|heo,|lợn|cá|tra|kiểm|mục|tiêu|dua|xoai|CNC|bơ.|sữa|in|gạo|thơm|"
    "CỦA|chế|biến|bảo|quản|\u0303|–|(|KH&CN|200tr"
)
WORDS = st.sampled_from(SNIPPETS.split("|"))
TEXTS = st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=15).map(" ".join))


@settings(deadline=None)
@given(TEXTS, st.sampled_from([None, True, False]))
def test_spans_are_in_order_and_quote_the_text(text: str, accented: bool | None) -> None:
    clean = normalise(text)
    variants = [(v.start, v.end, v.found) for v in LEXICON.variants(text, accented)]
    processes = [(m.start, m.end, m.found) for m in LEXICON.process_mentions(text, accented)]
    products = [(m.start, m.end, m.found) for m in LEXICON.product_mentions(text, accented)]
    shorts = [(a.start, a.end, a.found) for a in LEXICON.abbreviations(text)]
    for spans in (variants, processes, products, shorts):
        assert all(clean[start:end] == found != "" for start, end, found in spans)
        # several words may be meant at one place, but no two places overlap
        places = sorted({(start, end) for start, end, _ in spans})
        assert all(end <= start for (_, end), (start, _) in pairwise(places))


@settings(deadline=None)
@given(TEXTS)
def test_normalisation_changes_nothing(text: str) -> None:
    assert LEXICON.products(text) == LEXICON.products(normalise(text))
    assert LEXICON.expand(text) == LEXICON.expand(normalise(text))


@given(st.sampled_from(sorted(LEXICON.terms)))
def test_a_product_alone_is_recognised(name: str) -> None:
    assert name in names(name)
    assert name in names(fold(name), accented=False)


@given(st.lists(st.sampled_from(sorted(LEXICON.terms)), max_size=5))
def test_narrowest_has_no_ancestor_of_another(chosen: list[str]) -> None:
    narrow = LEXICON.narrowest([LEXICON.terms[name] for name in chosen])
    assert not {p.name for p in narrow} & {a for p in narrow for a in p.ancestors}
    assert bool(narrow) == bool(chosen)


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=12))
def test_phrases_find_agrees_with_the_slow_way(tokens: list[str]) -> None:
    phrases = {("a",): ("A",), ("a", "b"): ("AB",), ("b", "c", "a"): ("BCA",)}
    expected, start = [], 0
    while start < len(tokens):
        fits = [p for p in phrases if tuple(tokens[start : start + len(p)]) == p]
        longest = max(fits, key=len, default=None)
        if longest:
            expected.append((start, len(longest), phrases[longest]))
        start += len(longest or "x")
    assert list(Phrases(phrases).find(tuple(tokens))) == expected


# Tables


def test_product_tree_is_sound() -> None:
    assert len(LEXICON.terms) >= 220
    for term in LEXICON.terms.values():
        assert set(term.ancestors) <= LEXICON.terms.keys()
        assert term.name not in term.ancestors
    roots = {name for name, term in LEXICON.terms.items() if not term.ancestors}
    parents = {term.ancestors[0] for term in LEXICON.terms.values() if term.ancestors}
    assert roots & parents <= LEXICON.wide  # a root's members are not near each other


def test_one_phrase_names_one_product() -> None:
    owners: dict[tuple[str, ...], str] = {}
    for word, name in LEXICON.names.items():
        assert owners.setdefault(key(word), name) == name, word


def test_no_sign_stands_for_two_senses() -> None:
    rows = read_table(DATA, "homographs.csv", ("word", "signs"))
    assert len({row.text("word") for row in rows}) >= 40
    signs: dict[tuple[str, str], int] = {}
    for row in rows:
        for sign in row.many("signs"):
            assert signs.setdefault((row.text("word"), sign), row.line) == row.line, sign
            assert "#" in sign or key(sign, False) != key(row.text("word"), False), sign


def test_sample_products_are_known() -> None:
    rows = read_table(DATA.parent / "sample", "products.csv", ("Tên sản phẩm", "Tên khác"))
    said = [name for row in rows for name in (row.text("Tên sản phẩm"), *row.many("Tên khác"))]
    assert [name for name in said if not names(name)] == []
    assert [name for name in said if not names(fold(name), accented=False)] == []


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def test_a_process_may_be_told_with_any_number(tables: Path) -> None:
    """A "#" stands for a number in digits, whatever its size or form."""
    with (tables / "processes.csv").open("a", encoding="utf-8") as file:
        file.write("ủ lâu,bảo quản,ngâm thử # tuần,\n")
    lexicon = Lexicon.load(tables)

    def found(text: str) -> list[str]:
        mentions = lexicon.process_mentions(text)
        return [each.found for each in mentions if each.name == "ủ lâu"]

    assert found("Rượu ngâm thử 3 tuần, rồi ngâm thử 1.200 tuần.") == [
        "ngâm thử 3 tuần",
        "ngâm thử 1.200 tuần",
    ]
    assert found("ruou ngam thu 3 tuan") == ["ngam thu 3 tuan"]
    assert found("ngâm thử ba tuần; ngâm thử, 3 tuần; ngâm thử # tuần") == []


def test_a_word_inside_a_phrase_with_a_number_says_nothing_of_its_own(tables: Path) -> None:
    """The leftmost counts, the longest where two begin alike, with a number in it or not."""
    with (tables / "processes.csv").open("a", encoding="utf-8") as file:
        file.write("thử một,bảo quản,ngâm # tuần kho lạnh,\nthử hai,bảo quản,treo ngâm,\n")
    mentions = Lexicon.load(tables).process_mentions

    def found(text: str) -> list[str]:
        return [each.name for each in mentions(text)]

    assert found("ngâm 3 tuần kho lạnh") == ["thử một"]  # without "kho lạnh", bảo quản lạnh
    assert found("treo ngâm 3 tuần kho lạnh") == ["thử hai", "bảo quản lạnh"]


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("products.csv", "quýt lạ,cây ăn qủa,,,,,,,", 'cột "parent": không có "cây ăn qủa"'),
        ("products.csv", "xoài,rau quả,,,,,,,", '"xoài" đã có'),
        ("products.csv", "xoài lạ,rau quả,,,,khoai mì,,,", '"khoai mì" đã thuộc về "sắn"'),
        ("products.csv", "xoài lạ,rau quả", "có 2 ô, cần 9 ô"),
        ("homographs.csv", "vải,lạ,vaỉ thiều,", 'cột "product"'),
        ("dialect.csv", "x,heo,gà,,", '"heo" đã ở nhóm "lợn"'),
        ("dialect.csv", "x,một,,,", "ít nhất hai từ"),
        ("dialect.csv", "x,mmột,mhai,,ba", '"ba" không chứa từ nào'),
        ("processes.csv", "lạ,chế biên,,", '(có phải "chế biến"?)'),
        ("processes.csv", "lạ,chế biến,sấy,", '"sấy" đã thuộc về "sấy"'),
        ("abbreviations.csv", "ABC,,", 'cột "long": không được để trống'),
    ],
)
def test_bad_line_is_located(tables: Path, table: str, line: str, message: str) -> None:
    path = tables / table
    count = len(path.read_text(encoding="utf-8").splitlines())
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(TableError) as caught:
        Lexicon.load(tables)
    if table == "processes.csv" and "sấy" in message:
        message = "đã thuộc về"
    assert f"{table} dòng {count + 1}" in str(caught.value)
    assert message in str(caught.value)


def test_cycle_is_located(tables: Path) -> None:
    with (tables / "products.csv").open("a", encoding="utf-8") as file:
        file.write("trứng a,gà b,,,,,,,\ngà b,trứng a,,,,,,,\n")
    with pytest.raises(TableError, match="vòng lặp"):
        Lexicon.load(tables)


def test_missing_file_encoding_and_heading_are_named(tables: Path) -> None:
    (tables / "stopwords.csv").write_text("từ\nvà\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"stopwords\.csv dòng 1: thiếu cột word"):
        Lexicon.load(tables)
    (tables / "stopwords.csv").write_bytes("word\nvà".encode("utf-16"))
    with pytest.raises(TableError, match=r"stopwords\.csv: tệp không phải UTF-8"):
        Lexicon.load(tables)
    (tables / "stopwords.csv").unlink()
    with pytest.raises(TableError, match=r"stopwords\.csv: không mở được"):
        Lexicon.load(tables)


def test_edited_folder_is_used(tables: Path) -> None:
    with (tables / "products.csv").open("a", encoding="utf-8") as file:
        file.write("quả lạ,cây ăn quả,,,,,,,\n")
    lexicon = Lexicon.load(tables)
    assert lexicon.products("bảo quản quả lạ") == (
        ProductTerm("quả lạ", ("cây ăn quả", "rau quả", "nông sản")),
    )


def test_read_looks_for_accents() -> None:
    assert read("bao quan").tokens == ("bao", "quan")
    assert not read("bao quan").accented
    assert read("bảo quản").accented
    assert read("Điều 5").signs == ("điều", "#")
