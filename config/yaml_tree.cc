#include "config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "config/utf8.h"
#include "config/yaml_text.h"

namespace ringside::config {

namespace {

// Thrown from the handler through yaml-cpp, caught in this file: ends parsing where going on would
// be too much.
struct Stop {
  YAML::Mark mark;
  std::string message;
};

struct Frame {
  Node node;
  std::optional<Entry> open;                      // a key whose value comes next
  bool drop = false;                              // that key is refused, its value is not kept
  std::map<std::string, int, std::less<>> lines;  // of the keys so far
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view source, Report& report) : source_(source), report_(report) {}

  [[nodiscard]] std::optional<Node>& root() { return root_; }
  // Of the key whose value comes next: where it stands, or nothing.
  [[nodiscard]] std::optional<Place> open_place() const {
    const bool open = !frames_.empty() && frames_.back().open;
    return open ? std::optional(frames_.back().open->place) : std::nullopt;
  }
  // The dotted key of the value that comes next.
  [[nodiscard]] std::string key() const {
    std::string dotted;
    for (const Frame& frame : frames_) {
      dotted = frame.open ? join_key(dotted, quotable(frame.open->key)) : dotted;
    }
    return dotted;
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    deliver(make(mark, Node::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias (*) is not accepted: write the value again, or put it under defaults");
    deliver(make(mark, Node::Kind::kUnreadable));
  }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    refuse(mark, "an anchor (&) is not accepted: write the value again, or put it under defaults");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    Node node = make(mark, Node::Kind::kScalar);
    node.text = value;
    node.literal = check_tag(mark, tag) == "!";
    deliver(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    return Place{source_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
  }
  Node make(const YAML::Mark& mark, Node::Kind kind) {
    if (++nodes_ > kMaxNodes) {
      throw Stop{mark, fmt::format("more than {} values", kMaxNodes)};
    }
    Node node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }
  void refuse(const YAML::Mark& mark, std::string_view message) {
    report_.add(place(mark), key(), message);
  }

  std::string_view check_tag(const YAML::Mark& mark, std::string_view tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(mark, "a tag (!) is not accepted: types come from the keys");
    }
    return tag;
  }

  void open(const YAML::Mark& mark, std::string_view tag, Node::Kind kind) {
    if (frames_.size() == kMaxDepth) {
      throw Stop{mark, fmt::format("nested deeper than {} levels", kMaxDepth)};
    }
    check_tag(mark, tag);
    Frame frame;
    frame.node = make(mark, kind);
    frames_.push_back(std::move(frame));
  }
  void close() {
    Node node = std::move(frames_.back().node);
    frames_.pop_back();
    deliver(std::move(node));
  }

  void deliver(Node node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = frames_.back();
    if (top.node.kind == Node::Kind::kList) {
      top.node.items.push_back(std::move(node));
    } else if (!top.open) {
      take_key(top, node);
    } else {
      if (node.kind == Node::Kind::kNull) {
        node.place = top.open->place;  // the parser's place of nothing is that of what comes next
      }
      top.open->value = std::move(node);
      if (!top.drop) {
        top.node.entries.push_back(std::move(*top.open));
      }
      top.open.reset();
    }
  }

  void take_key(Frame& top, Node& node) {
    const auto [first, fresh] = top.lines.try_emplace(node.text, node.place.line);
    std::string problem;
    if (node.kind != Node::Kind::kScalar || !is_one_line_of_text(node.text) || node.text.empty()) {
      problem = "a key must be one line of text, then a colon";
    } else if (node.text.find("${") != std::string::npos) {
      problem = "${…} is expanded in values only, not in a key";
    } else if (!fresh) {
      problem = fmt::format("duplicate key, first written on line {}", first->second);
    }
    const std::string at = key();
    top.drop = !problem.empty();
    top.open = Entry{std::move(node.text), node.place, Node()};
    if (top.drop && node.kind != Node::Kind::kUnreadable) {
      report_.add(node.place, join_key(at, quotable(top.open->key)), problem);
    }
  }

  // A key as it may stand in a message.
  static std::string quotable(const std::string& text) {
    return text.size() <= 64 && is_one_line_of_text(text) ? text : quoted(text);
  }

  std::string_view source_;
  Report& report_;
  std::vector<Frame> frames_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
};

// Notices that something comes after the first document.
class SecondDocument : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    throw Stop{mark,
               "a second document, or a key indented less than the first one: one file holds one "
               "configuration"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

Place place_of(const YAML::Mark& mark, std::string_view source) {
  return Place{source, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

}  // namespace

std::string join_key(std::string_view block, std::string_view key) {
  return block.empty() ? std::string(key) : fmt::format("{}.{}", block, key);
}

std::optional<Node> parse_yaml(std::string_view text, std::string_view source, Report& report) {
  if (!check_text(text, source, report)) {
    return std::nullopt;
  }
  TreeBuilder builder(source, report);
  try {
    // A quote that is not closed is noticed only where the text ends inside a line.
    std::istringstream stream{std::string(text) + (text.ends_with('\n') ? "#" : "")};
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) {
      SecondDocument second;
      parser.HandleNextDocument(second);
    }
  } catch (const Stop& stop) {
    report.add(place_of(stop.mark, source), "", stop.message);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    const Place place = place_of(error.mark, source);
    const std::optional<Place> opened = builder.open_place();
    const bool unclosed = error.msg == YAML::ErrorMsg::EOF_IN_SCALAR && opened;
    report.add(unclosed ? *opened : place, unclosed ? builder.key() : "",
               explain_syntax(text, place, error.msg));
    return std::nullopt;
  } catch (const std::exception& error) {
    report.add(Place{source, 1, 1}, "", fmt::format("not YAML: {}", error.what()));
    return std::nullopt;
  }
  if (!builder.root() || builder.root()->kind == Node::Kind::kNull) {
    report.add(Place{source, 1, 1}, "", "the file is empty: write at least one key, e.g. service:");
    return std::nullopt;
  }
  return std::move(builder.root());
}

void expand_tree(Node& node, const std::string& key, const EnvLookup& env, Report& report) {
  for (Node& item : node.items) {
    expand_tree(item, key, env, report);
  }
  for (Entry& entry : node.entries) {
    expand_tree(entry.value, join_key(key, entry.key), env, report);
  }
  if (node.kind != Node::Kind::kScalar || node.text.find("${") == std::string::npos) {
    return;
  }
  Result<std::string> text = expand_env(node.text, env);
  if (!text) {
    report.add(node.place, key, text.error().message);
    node.kind = Node::Kind::kUnreadable;
    return;
  }
  node.text = std::move(*text);
  if (node.text.empty() && !node.literal) {
    node.kind = Node::Kind::kNull;
  }
  node.literal = false;
}

}  // namespace ringside::config
