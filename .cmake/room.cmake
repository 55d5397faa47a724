# ringside_room(NAME [PUBLIC|PRIVATE] LIBRARIES...): the static library ringside_NAME from every .cc under the calling folder.
# A folder that is a room of its own (it has its own CMakeLists.txt) is left out.
function(ringside_room name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB_RECURSE inner CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt)
  foreach(file IN LISTS inner)
    get_filename_component(folder ${file} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${folder}/")
  endforeach()
  if(NOT sources)
    return()
  endif()
  add_library(ringside_${name} STATIC ${sources})
  target_link_libraries(ringside_${name} PUBLIC ringside_flags ${ARGN})
endfunction()

# ringside_test(NAME LIBRARIES...): the doctest program test_NAME from every *_test.cc under the calling folder, known to ctest.
function(ringside_test name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(test_${name} ${sources} ${CMAKE_SOURCE_DIR}/tests/support/doctest_main.cc)
  target_link_libraries(test_${name} PRIVATE ringside_flags doctest ${ARGN})
  # The rooms are tested as users get them, optimized; the tests' own code is only compiled faster.
  target_compile_options(test_${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O0>)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
