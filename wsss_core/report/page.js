"use strict";
const opacity = document.getElementById("opacity");
const fade = () => document.documentElement.style.setProperty("--opacity", opacity.value / 100);
opacity.addEventListener("input", fade);
fade();
for (const viewer of document.querySelectorAll(".viewer")) {
  const slider = viewer.querySelector("input");
  const caption = viewer.querySelector(".caption");
  const pictures = [...viewer.querySelectorAll(".over")];
  const show = () => {
    const step = slider.list.options[slider.value];
    const shown = pictures[step.dataset.picture]; // none of them is the photo alone
    for (const picture of pictures) {
      picture.hidden = picture !== shown;
    }
    caption.textContent = step.label;
    slider.setAttribute("aria-valuetext", step.label);
  };
  slider.addEventListener("input", show);
  show();
}
