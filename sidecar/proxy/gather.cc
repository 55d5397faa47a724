#include "sidecar/proxy/gather.h"

#include <span>

namespace ringside::proxy {

void Gather::seal_text() {
  if (text_.size() > sealed_) {
    pieces_[count_++] = {nullptr, sealed_, text_.size() - sealed_};
    sealed_ = text_.size();
  }
}

void Gather::body(std::string_view bytes) {
  // Two for this call, one for the text that may follow.
  if (bytes.size() <= kCopyBytes || count_ + 3 > pieces_.size()) {
    text_.append(bytes);
    return;
  }
  seal_text();
  pieces_[count_++] = {bytes.data(), 0, bytes.size()};
  large_bytes_ += bytes.size();
}

net::WriteResult Gather::flush(net::TcpStream& stream, net::TcpStream::Then then) {
  seal_text();
  std::array<std::string_view, net::TcpStream::kMaxPieces> views;
  for (std::size_t i = 0; i < count_; ++i) {
    const Piece& piece = pieces_[i];
    views[i] = piece.data == nullptr ? std::string_view(text_).substr(piece.begin, piece.size)
                                     : std::string_view(piece.data, piece.size);
  }
  const auto result = stream.write(std::span(views).first(count_), then);
  clear();
  return result;
}

void Gather::clear() {
  if (text_.capacity() > kKeepBytes) {
    std::string().swap(text_);
  }
  text_.clear();
  count_ = 0;
  sealed_ = 0;
  large_bytes_ = 0;
}

}  // namespace ringside::proxy
