/* global document, getComputedStyle, NodeFilter */

/**
 * Runs inside the browser. Looks at a form of a dialog as a person would: text that is no translation, text that can
 * hardly be read, labels that are cut off, and fields that reach out of the dialog. Gives one line for each.
 */
globalThis.dialogFaults = (form) => {
  const LEAST_CONTRAST = 4.5;
  const faults = [];
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true });

  /** Red, green, blue and alpha, each from 0 to 1. */
  function channels(color) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((channel) => channel / 255);
  }

  function background(element) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = channels(getComputedStyle(at).backgroundColor);
      layers.unshift(layer);
      if (layer[3] === 1) break;
    }
    const blend = (below, [red, green, blue, alpha]) =>
      [red, green, blue].map((channel, index) => alpha * channel + (1 - alpha) * below[index]);
    return layers.reduce(blend, [1, 1, 1]);
  }

  function luminance(color) {
    const [red, green, blue] = color.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(element) {
    const below = luminance(background(element));
    const above = luminance(channels(getComputedStyle(element).color).slice(0, 3));
    return (Math.max(below, above) + 0.05) / (Math.min(below, above) + 0.05);
  }

  function checkTranslation(text) {
    if (/open-iotmp\/|^(blocks|common|devices|label|option|placeholder|rules|tabs|tip)\.\w/.test(text))
      faults.push('not translated: ' + text);
  }

  function checkContrast(element, text) {
    // The buttons of core have its colors.
    if (element.closest('.red-ui-button')) return;
    const found = contrast(element);
    if (found < LEAST_CONTRAST) faults.push('contrast ' + found.toFixed(1) + ': ' + text);
  }

  function checkField(field, bounds) {
    const box = field.getBoundingClientRect();
    if (box.left < bounds.left - 1 || box.right > bounds.right + 1) faults.push('reaches out: ' + field.id);
    checkTranslation(field.placeholder);
  }

  const walker = document.createTreeWalker(form, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    const text = textContent.trim();
    if (text === '' || !isVisible(element)) continue;
    checkTranslation(text);
    checkContrast(element, text);
  }
  const bounds = form.getBoundingClientRect();
  for (const field of form.querySelectorAll('input, select')) if (isVisible(field)) checkField(field, bounds);
  for (const label of form.querySelectorAll('.form-row > label:not(.iotmp-check)')) {
    if (!isVisible(label)) continue;
    const isCut = label.scrollWidth > label.clientWidth + 1;
    const lines =
      label.getBoundingClientRect().height / Number.parseFloat(getComputedStyle(label).lineHeight);
    if (isCut || lines > 1.8) faults.push('does not fit: ' + label.textContent.trim());
  }
  return faults;
};
