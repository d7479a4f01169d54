"""PDF files, made by pypdf."""

from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from xorag.data.readers import read_documents
from xorag.errors import SourceError


def _pdf(path: Path, *lines: str, title: str = "", password: str | None = None) -> Path:
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page = writer.add_blank_page(width=300, height=300)
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    shown = " T* ".join(f"({line}) Tj" for line in lines)
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 12 Tf 14 TL 20 250 Td {shown} ET".encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    if title:
        writer.add_metadata({"/Title": title})
    if password is not None:
        writer.encrypt(password, owner_password="owner", algorithm="RC4-128")  # noqa: S106
    writer.write(path)
    return path


def test_lines_of_a_page_are_joined_and_hyphens_taken_out(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", "It is an exam-", "ple of a line", "that goes on.", title="Doc")

    (document,) = read_documents([path])

    assert (document.title, document.text) == ("Doc", "It is an example of a line that goes on.")


def test_a_pdf_without_a_title_is_named_after_its_file(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "my_paper.pdf", "Text.")

    (document,) = read_documents([path])

    assert document.title == "my paper"


def test_an_encrypted_pdf_names_file_and_remedy(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "secret.pdf", "Hidden.", password="pass")  # noqa: S106

    with pytest.raises(SourceError, match=r"secret\.pdf: it is encrypted; .*qpdf --decrypt"):
        list(read_documents([path]))


def test_a_pdf_that_needs_no_password_to_be_read_is_read(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "open.pdf", "Shown.", password="")

    (document,) = read_documents([path])

    assert document.text == "Shown."


def test_a_pdf_without_text_names_the_remedy(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "scan.pdf")

    with pytest.raises(SourceError, match="it has no text layer; recognize its pages first"):
        list(read_documents([path]))
