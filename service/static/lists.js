"use strict";
// A list can be ordered by dragging; without this file, by typing numbers and pressing the button.

const list = document.querySelector("[data-order]");
const save = document.querySelector("[data-order-save]");

function renumber() {
  list.querySelectorAll("[data-place]").forEach((field, index) => { field.value = index + 1; });
  save.classList.remove("quiet");
  save.textContent = "Lưu thứ tự mới";
}

if (list && save) {
  let moved = null;
  for (const line of list.children) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "quiet small handle no-print";
    handle.draggable = true;
    handle.setAttribute("aria-label", "Kéo để đổi thứ tự, hoặc bấm mũi tên lên, xuống");
    handle.textContent = "⇅";
    line.querySelector(".place").append(handle);
    handle.addEventListener("dragstart", (event) => {
      moved = line;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
    });
    handle.addEventListener("keydown", (event) => {
      const other = event.key === "ArrowUp" ? line.previousElementSibling
        : event.key === "ArrowDown" ? line.nextElementSibling : null;
      if (!other) return;
      event.preventDefault();
      if (event.key === "ArrowUp") other.before(line); else other.after(line);
      handle.focus();
      renumber();
    });
    line.addEventListener("dragover", (event) => {
      if (!moved || moved === line) return;
      event.preventDefault();
      const box = line.getBoundingClientRect();
      if (event.clientY < box.top + box.height / 2) line.before(moved); else line.after(moved);
    });
    line.addEventListener("drop", (event) => event.preventDefault());
    line.addEventListener("dragend", () => { if (moved) { moved = null; renumber(); } });
  }
}
