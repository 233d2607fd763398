#include "plot/svg_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/text.h"

namespace bitplan::plot {

namespace {

/// To a hundredth of a pixel, without trailing zeros.
std::string Number(double pixels) {
  const double rounded = std::round(pixels * 100) / 100;
  return fmt::format("{}", rounded == 0 ? 0 : rounded);
}

std::string Dashes(std::string_view dashes) {
  return dashes.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dashes);
}

std::string Polygon(const std::vector<Pixel>& corners, std::string_view color) {
  std::string points;
  for (const Pixel& corner : corners)
    points += fmt::format("{}{},{}", points.empty() ? "" : " ", Number(corner.x), Number(corner.y));
  return fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.8\"/>\n", points, color);
}

std::string_view Name(Anchor anchor) {
  return anchor == Anchor::Start ? "start" : anchor == Anchor::Middle ? "middle" : "end";
}

}  // namespace

SvgWriter::SvgWriter(double width, double height, std::string_view title)
    : svg_(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
                       "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" role=\"img\">\n",
                       Number(width), Number(height))) {
  if (!title.empty()) svg_ += fmt::format("<title>{}</title>\n", EscapeXml(title));
  svg_ += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
}

void SvgWriter::Line(Pixel from, Pixel to, std::string_view color, double width, std::string_view dashes) {
  svg_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n",
                      Number(from.x), Number(from.y), Number(to.x), Number(to.y), color, Number(width), Dashes(dashes));
}

void SvgWriter::Path(const std::vector<Pixel>& points, const Style& style) {
  std::string path;
  for (const Pixel& point : points)
    path += fmt::format("{}{},{}", path.empty() ? "" : " ", Number(point.x), Number(point.y));
  svg_ += fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{}/>\n", path,
      style.color, Dashes(style.dashes));
}

void SvgWriter::Bar(Pixel corner, Pixel opposite, std::string_view color) {
  svg_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n",
                      Number(std::min(corner.x, opposite.x)), Number(std::min(corner.y, opposite.y)),
                      Number(std::abs(opposite.x - corner.x)), Number(std::abs(opposite.y - corner.y)), color);
}

void SvgWriter::Marker(Pixel center, const Style& style, double radius) {
  const auto [x, y] = center;
  const double r = radius;
  switch (style.shape) {
    case Shape::Circle:
      svg_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" fill-opacity=\"0.8\"/>\n", Number(x),
                          Number(y), Number(r), style.color);
      break;
    case Shape::Square:
      svg_ += Polygon({{x - 0.9 * r, y - 0.9 * r},
                       {x + 0.9 * r, y - 0.9 * r},
                       {x + 0.9 * r, y + 0.9 * r},
                       {x - 0.9 * r, y + 0.9 * r}},
                      style.color);
      break;
    case Shape::Triangle:
      svg_ += Polygon({{x, y - 1.2 * r}, {x + 1.1 * r, y + 0.8 * r}, {x - 1.1 * r, y + 0.8 * r}}, style.color);
      break;
    case Shape::Diamond:
      svg_ += Polygon({{x, y - 1.3 * r}, {x + 1.3 * r, y}, {x, y + 1.3 * r}, {x - 1.3 * r, y}}, style.color);
      break;
    case Shape::Cross:
      Line({x - r, y - r}, {x + r, y + r}, style.color, 1.6);
      Line({x - r, y + r}, {x + r, y - r}, style.color, 1.6);
      break;
  }
}

void SvgWriter::Text(Pixel at, std::string_view text, const TextStyle& style) {
  if (text.empty()) return;
  const std::string turn =
      style.upwards ? fmt::format(" transform=\"rotate(-90 {} {})\"", Number(at.x), Number(at.y)) : "";
  svg_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{}\" fill=\"#222222\"{}{}>{}</text>\n",
                      Number(at.x), Number(at.y), Number(style.font_size), Name(style.anchor),
                      style.bold ? " font-weight=\"bold\"" : "", turn, EscapeXml(text));
}

void SvgWriter::BeginGroup(std::string_view name) {
  svg_ += "<g>\n";
  if (!name.empty()) svg_ += fmt::format("<title>{}</title>\n", EscapeXml(name));
}

void SvgWriter::EndGroup() { svg_ += "</g>\n"; }

std::string SvgWriter::Finish() { return svg_ + "</svg>\n"; }

}  // namespace bitplan::plot
