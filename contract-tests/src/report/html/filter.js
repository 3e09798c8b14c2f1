const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("#checks tbody tr")];

function apply() {
  const values = (name) => new Set([...form.elements].filter((e) => e.name === name && e.checked).map((e) => e.value));
  const results = values("result");
  const evidence = values("evidence");
  const text = form.elements.text.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits =
      results.has(row.dataset.result) &&
      evidence.has(row.dataset.evidence) &&
      row.textContent.toLowerCase().includes(text);
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} checks shown`;
}

form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
apply();
