// Reviewing by keyboard: J and K go through the values, and the quote that each rests on is shown in the document.
"use strict";

const fields = [...document.querySelectorAll(".reviewing .field")];
let at = -1;

function show(index) {
  if (!fields.length) return;
  at = Math.max(0, Math.min(index, fields.length - 1));
  for (const each of document.querySelectorAll(".reviewing .shown")) each.classList.remove("shown");
  fields[at].classList.add("shown");
  fields[at].scrollIntoView({ block: "nearest" });
  const number = fields[at].dataset.value;
  const isOf = (mark) => mark.dataset.values.split(" ").includes(number);
  const marks = [...document.querySelectorAll("mark")].filter(isOf);
  for (const mark of marks) mark.classList.add("shown");
  if (marks.length) marks[0].scrollIntoView({ block: "center" });
}

function fit(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

function press(key) {
  document.querySelector(`.reviewing [data-key="${key}"]`)?.click();
}

fields.forEach((field, index) => {
  const area = field.querySelector("textarea");
  fit(area);
  area.addEventListener("input", () => fit(area));
  area.addEventListener("focus", () => index === at || show(index));
  field.addEventListener("click", () => index === at || show(index));
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.matches("input, textarea, select, [contenteditable]");
  if (writing && event.key === "Escape") event.target.blur();
  if (writing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) press("c");
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "j") show(at + 1);
  else if (key === "k") show(at - 1);
  else if (key === "enter" && at >= 0 && event.target === document.body) fields[at].querySelector("textarea").focus();
  else if ("acrs".includes(key)) press(key);
  else return;
  event.preventDefault();
});

show(0);
