// Tables of documents: sorted by a click on a head, cut to the rows that have what was typed.
const value = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
};
const inWords = new Intl.Collator().compare;
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.setAttribute("aria-sort", "none");
    head.tabIndex = 0;
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].filter((row) => row.cells.length === heads.length);
      if (!rows.length) return;
      const keyed = rows.map((row) => [value(row, column), row]);
      keyed.sort(([a], [b]) => (up ? 1 : -1) * (typeof a === "number" ? a - b : inWords(a, b)));
      // Emptied first: moving thousands of rows one by one takes seconds.
      body.replaceChildren();
      body.append(...keyed.map(([, row]) => row));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => event.key === "Enter" && sort());
  });
}
for (const field of document.querySelectorAll("input.find")) {
  const rows = [...field.closest("section").querySelectorAll("tbody tr")];
  field.addEventListener("input", () => {
    const sought = field.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(sought);
  });
}
