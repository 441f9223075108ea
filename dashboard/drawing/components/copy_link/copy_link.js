// Copies the address of this view. The address bar holds the whole selection, so there is nothing to send to Python.
export default function ({ parentElement }) {
  if (parentElement.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy link";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await copy(window.location.toString());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy link"), 1600);
  });
  parentElement.append(button);
}
