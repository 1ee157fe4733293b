// Tables that are sorted by a click on a head; what has no value stays last.
function sortable(table) {
  const heads = all("thead th", table);
  heads.forEach((head, column) => {
    const button = element("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending"
        || (!head.hasAttribute("aria-sort") && head.classList.contains("right"));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sort(one("tbody", table), column, descending ? -1 : 1);
    });
  });
}

function sort(body, column, direction) {
  const rows = [...body.rows].map((row) => {
    const cell = row.cells[column];
    const text = cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    return { row, value: text, empty: text === "" };
  });
  rows.sort((a, b) => {
    if (a.empty || b.empty) return a.empty - b.empty;
    const less = typeof a.value === "number" && typeof b.value === "number"
      ? a.value - b.value : String(a.value).localeCompare(String(b.value));
    return direction * less;
  });
  body.append(...rows.map(({ row }) => row));
}
